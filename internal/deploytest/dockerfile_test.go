package deploytest

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"chartcode/internal/config"
)

func TestDockerfile(t *testing.T) {
	file := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	lines := strings.Split(file, "\n")
	last := slices.IndexFunc(lines, func(line string) bool { return line == "FROM scratch" })
	if last < 0 {
		t.Fatal("the image is not made from scratch")
	}
	final := strings.Join(lines[last:], "\n")
	if user := regexp.MustCompile(`(?m)^USER (\d+):\d+$`).FindStringSubmatch(final); user == nil || user[1] == "0" {
		t.Errorf("the program runs as %v, want a number other than 0", user)
	}
	for _, match := range regexp.MustCompile(`(?m)^ENV ([A-Z_]+)=`).FindAllStringSubmatch(final, -1) {
		if !slices.Contains(config.Variables(), match[1]) {
			t.Errorf("%s is set, which the program does not read", match[1])
		}
	}
	// In an image without files of the system, time zones have to be in the program.
	if !strings.Contains(file, "-tags timetzdata") || !strings.Contains(file, "CGO_ENABLED=0") {
		t.Error("the program would need files that the image does not have")
	}
	goVersion := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	if goVersion == nil || !strings.Contains(file, "FROM golang:"+goVersion[1]+"-") {
		t.Errorf("the image is built by another Go than go.mod's %v", goVersion)
	}
}
