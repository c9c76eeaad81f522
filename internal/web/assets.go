package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// asset is an embedded file as browsers get it.
type asset struct {
	content     []byte
	contentType string
	version     string // changes with the content
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func loadAssets() (map[string]asset, error) {
	files, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return nil, err
	}
	assets := make(map[string]asset, len(files))
	for _, f := range files {
		content, err := staticFiles.ReadFile("static/" + f.Name())
		if err != nil {
			return nil, err
		}
		contentType, ok := contentTypes[path.Ext(f.Name())]
		if !ok {
			return nil, fmt.Errorf("the type of %s is not known", f.Name())
		}
		sum := sha256.Sum256(content)
		assets[f.Name()] = asset{content, contentType, hex.EncodeToString(sum[:6])}
	}
	return assets, nil
}

// assetPath is where a page finds an embedded file. The address changes with
// the file, so that browsers may keep it and still never mix two versions.
func (s *server) assetPath(name string) string {
	return "/static/" + name + "?v=" + s.assets[name].version
}

// scriptFiles are the scripts of every page, in the order in which they run: the
// first makes what the others share, the last starts them. theme.js is not among
// them: it runs before anything is drawn.
var scriptFiles = []string{"base.js", "session.js", "note.js", "page.js", "acts.js", "live.js", "picker.js", "lookup.js", "list.js", "keys.js", "tour.js", "start.js"}

func (s *server) scriptPaths() []string {
	paths := make([]string, len(scriptFiles))
	for i, name := range scriptFiles {
		paths[i] = s.assetPath(name)
	}
	return paths
}

func (s *server) static(w http.ResponseWriter, r *http.Request) {
	a, ok := s.assets[r.PathValue("file")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("ETag", `"`+a.version+`"`)
	if r.URL.Query().Get("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
}
