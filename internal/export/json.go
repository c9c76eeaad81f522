package export

import (
	"encoding/json"
	"io"
)

type jsonWriter struct {
	w     io.Writer
	begun bool
}

func (j *jsonWriter) begin() error {
	_, err := io.WriteString(j.w, "[")
	return err
}

func (j *jsonWriter) entry(e Entry) error {
	b, err := json.Marshal(e.Review)
	if err != nil {
		return err
	}
	lead := "\n"
	if j.begun {
		lead = ",\n"
	}
	j.begun = true
	_, err = j.w.Write(append([]byte(lead), b...))
	return err
}

func (j *jsonWriter) end() error {
	_, err := io.WriteString(j.w, "\n]\n")
	return err
}
