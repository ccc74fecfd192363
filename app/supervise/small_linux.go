package supervise

import (
	"bufio"
	"encoding/binary"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetProgramPages gives back the memory that holds parts of the program and
// of its libraries which were used only while it started; what is needed again
// is read again from the file in microseconds. Two processes of one large
// binary would otherwise keep all of it resident twice, for a guard that does
// next to nothing. Only pages that are as they are in the file are touched.
func forgetProgramPages() {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	pages, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return
	}
	defer pages.Close()
	for lines := bufio.NewScanner(strings.NewReader(string(maps))); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 6 || !strings.HasPrefix(words[5], "/") || !strings.HasPrefix(words[1], "r-") {
			continue // not of a file, or it can be written
		}
		if start, length := span(words[0]); length > 0 {
			forgetUnchanged(pages, start, length)
		}
	}
}

// What the kernel tells of a page: whether it is in memory, and whether it is
// the file's own. A page that is in memory and not the file's was changed while
// the program was linked together, and there is no other copy of it.
const (
	pageInMemory = 1 << 63
	pageSwapped  = 1 << 62
	pageOfFile   = 1 << 61
)

// forgetUnchanged gives back the pages of one mapping, run by run.
func forgetUnchanged(pages *os.File, start, length uintptr) {
	size := uintptr(os.Getpagesize())
	told := make([]byte, length/size*8)
	if _, err := pages.ReadAt(told, int64(start/size*8)); err != nil {
		return // then nothing is known of them, and they stay
	}
	forget := func(from, to uintptr) {
		if to > from {
			// A failure leaves things as they are, which is all right.
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, start+from*size, (to-from)*size, unix.MADV_DONTNEED)
		}
	}
	from := uintptr(0)
	for number := range length / size {
		flags := binary.NativeEndian.Uint64(told[number*8:])
		changed := flags&pageSwapped != 0 || flags&pageInMemory != 0 && flags&pageOfFile == 0
		if changed {
			forget(from, number)
			from = number + 1
		}
	}
	forget(from, length/size)
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
