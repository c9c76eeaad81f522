package web_test

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
)

var screenshots = flag.String("screenshots", "", "folder into which TestScreenshots writes its pictures; a temporary one when empty")

// TestScreenshots takes pictures of the main pages, to be looked at:
//
//	go test ./internal/web -run TestScreenshots -screenshots DIR
func TestScreenshots(t *testing.T) {
	t.Parallel()
	dir := *screenshots
	if dir == "" {
		dir = t.TempDir()
	}
	s := newSite(t)
	s.saveSamples()
	booktest.Load(t, s.store)
	diabetes, stay, degraded := s.itemOf("N-1001"), s.itemOf("N-1004"), s.itemOf("N-1012")
	b := s.tab()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		shot := func(name string) {
			t.Helper()
			picture := b.picture()
			if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+".png"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
			im, err := png.Decode(bytes.NewReader(picture))
			if err != nil {
				t.Fatal(err)
			}
			if im.Bounds().Dx() != 1280 || im.Bounds().Dy() != 720 {
				t.Errorf("%s is %v", name, im.Bounds())
			}
		}
		b.open("/sign-in")
		shot("sign-in")
		b.signIn(coding.RoleCoder)
		shot("worklist")
		b.open(itemPath(diabetes))
		shot("item")
		b.press("?")
		b.until(`document.querySelector("dialog").open`)
		shot("keys")
		b.open(itemPath(stay) + "?at=1")
		shot("encounter")
		b.open(itemPath(degraded))
		shot("degraded")
		if scheme == "light" {
			b.open(itemPath(diabetes))
			b.press("aaa")
			b.until(`document.querySelectorAll(".code.accepted").length === 3`)
			b.press("jrr")
			b.until(`document.querySelectorAll(".code.rejected").length === 1`)
			b.press("f")
			b.until(`document.querySelector("#problem") !== null`)
		} else {
			b.open(itemPath(diabetes))
		}
		shot("half-done")
		if scheme == "light" {
			b.press("f")
			b.until(`document.querySelector(".notice.good") !== null`)
		}
		shot("next")
		b.open("/?state=finished")
		shot("finished")
		b.open("/codes")
		shot("codes")
		b.open("/codes?q=fx+distal+radius+right")
		shot("codes-found")
		b.open("/codes/ICD-10-CM/E11.22")
		shot("code")
		b.open("/codes/ICD-10-CM/E11.223")
		shot("code-missing")
		b.run(chromedp.EmulateViewport(640, 360, chromedp.EmulateScale(2)))
		b.open(itemPath(stay))
		shot("zoom")
		b.run(chromedp.EmulateViewport(1280, 720))
		b.run(chromedp.Click(`.who button:not([data-sheet])`))
		b.until(`location.pathname === "/sign-in"`)
	}
}
