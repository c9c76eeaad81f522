package measure

import (
	"encoding/xml"
	"strings"
)

type junitSuite struct {
	XMLName  xml.Name  `xml:"testsuite"`
	Name     string    `xml:"name,attr"`
	Tests    int       `xml:"tests,attr"`
	Failures int       `xml:"failures,attr"`
	Errors   int       `xml:"errors,attr"`
	Case     junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Out     string        `xml:"system-out"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

// JUnit is the decision as continuous integration reads it: worse is a failure,
// cannot tell an error. The notes that changed are its output: ids and codes.
func (g *Gate) JUnit(changes []Change) ([]byte, error) {
	var out strings.Builder
	for i := range changes {
		out.WriteString(changes[i].NoteID + changes[i].Text() + "\n")
	}
	s := junitSuite{Name: "chartcode eval gate", Tests: 1, Case: junitCase{Class: "chartcode.eval.gate", Name: g.Metric, Out: out.String()}}
	switch g.Decision {
	case Worse:
		s.Failures, s.Case.Failure = 1, &junitMessage{g.Text()}
	case CannotTell:
		s.Errors, s.Case.Error = 1, &junitMessage{g.Text()}
	}
	b, err := xml.MarshalIndent(s, "", " ")
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}
