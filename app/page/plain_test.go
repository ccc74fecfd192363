package page_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"nightstand/app/page"
)

func TestTextFromOutsideIsMadePlain(t *testing.T) {
	for _, c := range []struct{ why, text, plain string }{
		{"plain text stays", "Disk full on db-1", "Disk full on db-1"},
		{"letters of all scripts stay", "磁盘 полон ñ 🔥", "磁盘 полон ñ 🔥"},
		{"markup is shown, not obeyed", "<b>$(reboot)</b> & `id`", "<b>$(reboot)</b> & `id`"},
		{"colours are dropped whole", "\x1b[31mred\x1b[0m", "red"},
		{"a window title is dropped whole", "\x1b]0;hello\aDisk", "Disk"},
		{"a title that never ends hides nothing", "\x1b]0;Disk full", "0;Disk full"},
		{"a lone escape is dropped", "a\x1bb", "ab"},
		{"an eight-bit escape is dropped", "a\u009b31mb", "a31mb"},
		{"bell, backspace and delete are dropped", "a\a\b\x7fb", "ab"},
		{"no turning round", "\u202egpj.exe\u202c \u2066x\u2069\u200f", "gpj.exe x"},
		{"no invisible letters", "pay\u200bpal\u00ad\ufeff\u3164", "paypal"},
		{"lines become spaces", "one\r\n\ttwo\u2028three", "one two three"},
		{"broken bytes are dropped", "a\xff\xfeb", "ab"},
		{"nothing but dirt is nothing", "\x1b[2J \n\x00", ""},
	} {
		if got := page.Plain(c.text, 100); got != c.plain {
			t.Errorf("%s: %q became %q, want %q", c.why, c.text, got, c.plain)
		}
	}
}

func TestLinesAreKeptOnlyWhereTheyAreWanted(t *testing.T) {
	const text = "first \x1b[1mline\n\nsecond\u202e line \n"
	if got, want := page.PlainLines(text, 100), "first line\n\nsecond line"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := page.Plain(text, 100), "first line second line"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLongTextIsCutAndSaysSo(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("é", 10): strings.Repeat("é", 10),
		strings.Repeat("é", 11): strings.Repeat("é", 10) + "…",
		"a b c d e f g":         "a b c d e…",
		"123456789 1":           "123456789…",
	} {
		if got := page.Plain(text, 10); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// hostile draws texts made of what an attacker would try.
func hostile(t *rapid.T) string {
	pieces := rapid.SliceOf(rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{
			"\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b[31m", "\x1b]8;;http://x\x1b\\", "\u009b", "\u0090", "\x00", "\a", "\r\n", "\n", "\t",
			"\u202e", "\u2066", "\u200f", "\u061c", "\ufeff", "\ufe0f", "\U000e0041", "\u3164", "\xff", "\xc3", "e\u0301", "<b>", "&amp;", " ",
		}),
	)).Draw(t, "pieces")
	return strings.Join(pieces, "")
}

func TestNothingHarmfulIsLeftInAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := hostile(t)
		limit := rapid.IntRange(1, 60).Draw(t, "limit")
		for name, clean := range map[string]func(string, int) string{"Plain": page.Plain, "PlainLines": page.PlainLines} {
			got := clean(text, limit)
			if !utf8.ValidString(got) {
				t.Fatalf("%s left broken UTF-8: %q", name, got)
			}
			if length := utf8.RuneCountInString(got); length > limit+1 || length == limit+1 && !strings.HasSuffix(got, "…") {
				t.Fatalf("%s left %d characters where %d are allowed: %q", name, length, limit, got)
			}
			for _, r := range got {
				lineEnd := name == "PlainLines" && r == '\n'
				if !lineEnd && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || unicode.Is(unicode.Zl, r)) {
					t.Fatalf("%s left %U in %q", name, r, got)
				}
			}
			if name == "Plain" && strings.Contains(got, "  ") {
				t.Fatalf("Plain left a row of spaces: %q", got)
			}
			if again := clean(got, limit); again != got {
				t.Fatalf("%s is not finished after once: %q becomes %q", name, got, again)
			}
		}
	})
}

func FuzzPlain(f *testing.F) {
	f.Add("\x1b[31mred\u202e\n", 10)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 1 + max(0, limit)%500
		got := page.Plain(text, limit)
		if strings.ContainsFunc(got, unicode.IsControl) || utf8.RuneCountInString(got) > limit+1 || page.Plain(got, limit) != got {
			t.Errorf("%q (limit %d) became %q", text, limit, got)
		}
	})
}
