package coding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"time"
)

// Limits of a note, as the public contract states them.
const (
	MaxTextBytes   = 1 << 20 // 1 MiB of UTF-8
	MaxNoteIDChars = 128
	DefaultSource  = "default"
	PriorityMin    = 1
	PriorityMax    = 9
	PriorityUsual  = 5
	PriorityUrgent = 7 // 7-9 go to the urgent subject
)

// Setting is where care took place; it decides which coding rules hold.
type Setting string

// The settings. Emergency and professional follow the outpatient rules.
const (
	Inpatient    Setting = "inpatient"
	Outpatient   Setting = "outpatient"
	Professional Setting = "professional"
	Emergency    Setting = "emergency"
)

// Valid reports whether s is one of the four settings.
func (s Setting) Valid() bool {
	switch s {
	case Inpatient, Outpatient, Professional, Emergency:
		return true
	}
	return false
}

// InpatientRules reports whether the inpatient guidelines (II, III) apply.
func (s Setting) InpatientRules() bool { return s == Inpatient }

// Person is an author or attending.
type Person struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// Patient is what a note says of the patient. All fields are optional.
type Patient struct {
	ID        string `json:"id,omitempty"`
	Sex       string `json:"sex,omitempty"`
	BirthDate Date   `json:"birth_date"`
}

// Or gives the patient with what is not known of them taken from another note's.
func (p Patient) Or(other Patient) Patient {
	p.ID, p.Sex = cmp.Or(p.ID, other.ID), cmp.Or(p.Sex, other.Sex)
	if p.BirthDate.IsZero() {
		p.BirthDate = other.BirthDate
	}
	return p
}

// Note is one clinical note as submitted. Intake fills Source and Priority
// with their defaults; Setting stays empty when the body does not name one.
type Note struct {
	NoteID      string    `json:"note_id"`
	Source      string    `json:"source"`
	EncounterID string    `json:"encounter_id,omitempty"`
	Patient     Patient   `json:"patient"`
	Author      Person    `json:"author"`
	Attending   Person    `json:"attending"`
	Payer       string    `json:"payer,omitempty"`
	Setting     Setting   `json:"setting,omitempty"`
	Specialty   string    `json:"specialty,omitempty"`
	NoteType    string    `json:"note_type,omitempty"`
	ServiceDate Date      `json:"service_date"`
	AdmitDate   Date      `json:"admit_date"`
	DueAt       time.Time `json:"due_at,omitzero"`
	Priority    int       `json:"priority"`
	Text        string    `json:"text"`
}

// Urgent reports whether the note belongs on the urgent subject.
func (n Note) Urgent() bool { return n.Priority >= PriorityUrgent }

// SHA256 is the hex hash over all known fields. A field that has its default
// (or no) value does not enter, so that fields added by later versions leave
// the hashes of earlier notes as they are; the names separate the fields.
func (n Note) SHA256() string {
	h := sha256.New()
	field := func(name, value, absent string) {
		if value != absent {
			writeField(h, name, value)
		}
	}
	field("admit_date", n.AdmitDate.String(), "")
	field("attending.id", n.Attending.ID, "")
	field("attending.name", n.Attending.Name, "")
	field("author.id", n.Author.ID, "")
	field("author.name", n.Author.Name, "")
	if !n.DueAt.IsZero() {
		writeField(h, "due_at", n.DueAt.UTC().Format(time.RFC3339Nano))
	}
	field("encounter_id", n.EncounterID, "")
	field("note_id", n.NoteID, "")
	field("note_type", n.NoteType, "")
	field("patient.birth_date", n.Patient.BirthDate.String(), "")
	field("patient.id", n.Patient.ID, "")
	field("patient.sex", n.Patient.Sex, "")
	field("payer", n.Payer, "")
	if n.Priority != 0 {
		field("priority", strconv.Itoa(n.Priority), strconv.Itoa(PriorityUsual))
	}
	field("service_date", n.ServiceDate.String(), "")
	field("setting", string(n.Setting), "")
	field("source", n.Source, DefaultSource)
	field("specialty", n.Specialty, "")
	field("text", n.Text, "")
	return hex.EncodeToString(h.Sum(nil))
}

func writeField(h hash.Hash, name, value string) {
	h.Write([]byte(name))
	h.Write([]byte{0})
	h.Write([]byte(strconv.Itoa(len(value))))
	h.Write([]byte{0})
	h.Write([]byte(value))
}
