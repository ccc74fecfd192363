package supervise

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetProgramPages gives back the memory that holds parts of the program
// used only while it started; what is needed again is read again from the file
// in microseconds. Two processes of one large binary would otherwise keep all
// of it resident twice, for a guard that does next to nothing. Only mappings
// that cannot be written and never were are touched.
func forgetProgramPages() {
	executable, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	var start, length uintptr
	clean := false
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) >= 5 && strings.Contains(words[0], "-"):
			start, length = span(words[0])
			clean = words[1][0] == 'r' && words[1][1] == '-' && words[len(words)-1] == executable
		case len(words) == 3 && (words[0] == "Private_Dirty:" || words[0] == "Anonymous:"):
			clean = clean && words[1] == "0"
		case len(words) > 0 && words[0] == "VmFlags:" && clean && length > 0: // the last line of a mapping
			// A failure leaves things as they are, which is all right.
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, length, unix.MADV_DONTNEED)
		}
	}
}

// span reads the two ends of a mapping, which are written in hexadecimal.
func span(ends string) (start, length uintptr) {
	low, high, _ := strings.Cut(ends, "-")
	from, err1 := strconv.ParseUint(low, 16, strconv.IntSize)
	to, err2 := strconv.ParseUint(high, 16, strconv.IntSize)
	if err1 != nil || err2 != nil || to < from {
		return 0, 0
	}
	return uintptr(from), uintptr(to - from)
}
