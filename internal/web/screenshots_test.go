package web_test

import (
	"bytes"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"chartcode/internal/codebook/booktest"
	"chartcode/internal/coding"
)

var screenshots = flag.String("screenshots", "", "folder into which TestScreenshots writes its pictures; without it none are taken")

// TestScreenshots takes pictures of the main pages, to be looked at:
//
//	go test ./internal/web -run TestScreenshots -screenshots DIR
func TestScreenshots(t *testing.T) {
	t.Parallel()
	dir := *screenshots
	if dir == "" {
		t.Skip("takes pictures only with -screenshots; the tests of accessibility open the same pages")
	}
	s := newSite(t)
	s.saveSamples()
	booktest.Load(t, s.store)
	diabetes, stay, degraded := s.itemOf("N-1001"), s.itemOf("N-1004"), s.itemOf("N-1012")
	b := s.tab()
	film(t, dir)
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
		b.open(itemPath(stay))
		b.press("r")
		b.until(`document.querySelector(".reject[open]") !== null`)
		shot("reject")
		b.open(itemPath(stay))
		b.press("m")
		b.until(`document.activeElement.matches("[name=to]")`)
		b.press("kidney disease")
		b.until(`document.querySelectorAll(".offers [role=option]").length > 0`)
		shot("modify")
		b.open(itemPath(stay))
		b.press("q")
		b.until(`document.activeElement.id === "query-to"`)
		shot("query")
		b.run(chromedp.Click(`.who form button`))
		b.until(`location.pathname === "/sign-in"`)
	}
}

// film writes a strip of four pictures: a note of ten suggestions from the
// worklist to the next note.
func film(t *testing.T, dir string) {
	t.Helper()
	s := newSite(t)
	s.saveSamples()
	b := s.tab()
	var frames []image.Image
	frame := func() {
		t.Helper()
		im, err := png.Decode(bytes.NewReader(b.picture()))
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, im)
	}
	b.signIn(coding.RoleCoder)
	b.run(chromedp.Evaluate[chromedp.Void](`localStorage.setItem("chartcode-tour", "1"); null`))
	b.open("/?specialty=Internal+Medicine&sort=oldest")
	frame()
	b.press("n")
	b.focused("E11.22")
	frame()
	b.press("aaaaaa")
	b.until(`document.querySelectorAll(".code.accepted").length === 6`)
	frame()
	b.press("aaaa")
	b.until(`document.querySelectorAll(".code.accepted").length === 10`)
	b.press("f")
	b.until(`document.querySelector("#problem") !== null`)
	b.press("f")
	b.until(`document.querySelector(".notice.good") !== null`)
	frame()
	strip := image.NewRGBA(image.Rect(0, 0, 1280, 720))
	for i, f := range frames {
		halve(strip, f, (i%2)*640, (i/2)*360)
	}
	file, err := os.Create(filepath.Join(dir, "strip.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(file, strip), file.Close()); err != nil {
		t.Fatal(err)
	}
}

// halve draws a picture at half its size.
func halve(to *image.RGBA, from image.Image, left, top int) {
	size := from.Bounds().Size()
	for y := range size.Y / 2 {
		for x := range size.X / 2 {
			var r, g, b uint32
			for i := range 4 {
				rr, gg, bb, _ := from.At(2*x+i%2, 2*y+i/2).RGBA()
				r, g, b = r+rr, g+gg, b+bb
			}
			to.SetRGBA(left+x, top+y, color.RGBA{uint8(r >> 10), uint8(g >> 10), uint8(b >> 10), 255})
		}
	}
}
