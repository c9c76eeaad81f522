package export

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"chartcode/internal/coding"
)

// The code systems and value sets that the resources name, as HL7 publishes them;
// those that begin with urn:chartcode: are ours.
const (
	sysActCode      = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	sysVerification = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
	sysCategory     = "http://terminology.hl7.org/CodeSystem/condition-category"
	sysUse          = "http://terminology.hl7.org/CodeSystem/diagnosis-role"
	sysAgent        = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
	sysOnAdmission  = "https://www.nubc.org/CodeSystem/PresentOnAdmissionIndicator"
	extOnAdmission  = "urn:chartcode:on-admission"
	extOrigin       = "urn:chartcode:origin"
	extModifier     = "urn:chartcode:modifier"
	extPointer      = "urn:chartcode:diagnosis-pointer"
)

var fhirSystems = map[coding.System]string{
	coding.ICD10CM:  "http://hl7.org/fhir/sid/icd-10-cm",
	coding.ICD10PCS: "http://www.cms.gov/Medicare/Coding/ICD10",
	coding.HCPCS:    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
	coding.CPT:      "http://www.ama-assn.org/go/cpt",
}

// object is a FHIR element. encoding/json writes its keys in order of the
// alphabet, so the same entries give the same bytes.
type object map[string]any

// fhirWriter writes one Bundle. An item is a Patient, an Encounter, a Condition
// for each diagnosis, a Procedure for each ICD-10-PCS code, a ChargeItem for each
// HCPCS or CPT code, and a Provenance that names coder and rankers.
type fhirWriter struct {
	w     io.Writer
	begun bool
}

func (f *fhirWriter) begin() error {
	_, err := io.WriteString(f.w, `{"resourceType":"Bundle","type":"collection","entry":[`)
	return err
}

func (f *fhirWriter) end() error {
	_, err := io.WriteString(f.w, "\n]}\n")
	return err
}

func (f *fhirWriter) put(url string, resource object) error {
	b, err := json.Marshal(object{"fullUrl": url, "resource": resource})
	if err != nil {
		return err
	}
	lead := ",\n"
	if !f.begun {
		lead = "\n"
	}
	f.begun = true
	_, err = f.w.Write(append([]byte(lead), b...))
	return err
}

func (f *fhirWriter) entry(e Entry) error {
	patient, encounter := e.url("Patient"), e.url("Encounter")
	if err := f.put(patient, e.patient()); err != nil {
		return err
	}
	var diagnoses []object
	var targets []object
	var codes []func() error
	for _, c := range e.Codes {
		url := e.url("code " + string(c.System) + " " + c.Code)
		targets = append(targets, object{"reference": url})
		if c.System == coding.ICD10CM {
			diagnoses = append(diagnoses, diagnosis(c, url))
		}
		codes = append(codes, func() error { return f.put(url, e.code(c, patient, encounter)) })
	}
	if err := f.put(encounter, e.encounter(patient, diagnoses)); err != nil {
		return err
	}
	for _, put := range codes {
		if err := put(); err != nil {
			return err
		}
	}
	if !e.Finished && len(targets) == 0 {
		return nil
	}
	return f.put(e.url("Provenance"), e.provenance(append([]object{{"reference": encounter}}, targets...)))
}

// url names a resource of an item, the same in each export: a version 8 UUID (RFC
// 9562) of a hash.
func (e Entry) url(what string) string {
	key := strings.Join([]string{"chartcode", e.Source, e.EncounterID, what}, "\x00")
	if e.EncounterID == "" {
		key += "\x00" + strings.Join(e.NoteIDs, "\x00")
	}
	b := sha256.Sum256([]byte(key))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func (e Entry) patient() object {
	p := object{"resourceType": "Patient"}
	if e.Patient.ID != "" {
		p["identifier"] = []object{{"system": "urn:chartcode:patient:" + e.Source, "value": e.Patient.ID}}
	}
	switch sex := strings.ToLower(e.Patient.Sex); sex {
	case "male", "female", "other", "unknown":
		p["gender"] = sex
	case "m":
		p["gender"] = "male"
	case "f":
		p["gender"] = "female"
	}
	if !e.Patient.BirthDate.IsZero() {
		p["birthDate"] = e.Patient.BirthDate.String()
	}
	return p
}

func (e Entry) encounter(patient string, diagnoses []object) object {
	class := object{"system": sysActCode, "code": "AMB", "display": "ambulatory"}
	switch e.Setting {
	case coding.Inpatient:
		class["code"], class["display"] = "IMP", "inpatient encounter"
	case coding.Emergency:
		class["code"], class["display"] = "EMER", "emergency"
	}
	out := object{"resourceType": "Encounter", "status": "finished", "class": class, "subject": object{"reference": patient}}
	if e.EncounterID != "" {
		out["identifier"] = []object{{"system": "urn:chartcode:encounter:" + e.Source, "value": e.EncounterID}}
	}
	if !e.From.IsZero() {
		out["period"] = object{"start": e.From.String(), "end": e.To.String()}
	}
	if len(diagnoses) > 0 {
		out["diagnosis"] = diagnoses
	}
	return out
}

// diagnosis is Encounter.diagnosis: rank is the sequence of the code in the
// review.
func diagnosis(c coding.ReviewedCode, url string) object {
	use, display := "billing", "Billing"
	switch c.Role {
	case coding.RoleAdmitting:
		use, display = "AD", "Admission diagnosis"
	case coding.RoleReason:
		use, display = "CC", "Chief complaint"
	}
	d := object{
		"condition": object{"reference": url}, "rank": c.Sequence,
		"use": object{"coding": []object{{"system": sysUse, "code": use, "display": display}}, "text": string(c.Role)},
	}
	if c.POA != nil {
		d["extension"] = []object{{"url": extOnAdmission, "valueCoding": object{"system": sysOnAdmission, "code": *c.POA}}}
	}
	return d
}

// code is the resource of a code.
func (e Entry) code(c coding.ReviewedCode, patient, encounter string) object {
	concept := object{"coding": []object{{"system": fhirSystems[c.System], "code": c.Code}}}
	if c.Display != "" {
		concept["coding"].([]object)[0]["display"] = c.Display
	}
	out := object{"code": concept, "subject": object{"reference": patient}}
	var extensions []object
	if c.Origin != "" {
		extensions = append(extensions, object{"url": extOrigin, "valueCode": string(c.Origin)})
	}
	var notes []object
	for _, ev := range c.Evidence {
		notes = append(notes, object{"text": ev.Text})
	}
	switch c.System {
	case coding.ICD10CM:
		// Until a coder has answered for it, a diagnosis is tentative.
		status := "provisional"
		if e.Finished {
			status = "confirmed"
		}
		out["resourceType"], out["encounter"] = "Condition", object{"reference": encounter}
		out["verificationStatus"] = object{"coding": []object{{"system": sysVerification, "code": status}}}
		out["category"] = []object{{"coding": []object{{"system": sysCategory, "code": "encounter-diagnosis"}}}}
		if !c.DecidedAt.IsZero() {
			out["recordedDate"] = moment(c.DecidedAt)
		}
	case coding.ICD10PCS:
		out["resourceType"], out["encounter"] = "Procedure", object{"reference": encounter}
		out["status"] = e.either("completed", "unknown")
	default:
		out["resourceType"], out["context"] = "ChargeItem", object{"reference": encounter}
		out["status"] = e.either("billable", "planned")
		if c.Units > 0 {
			out["quantity"] = object{"value": c.Units}
		}
		for _, m := range c.Modifiers {
			extensions = append(extensions, object{"url": extModifier, "valueCode": m})
		}
		for _, p := range c.Pointers {
			extensions = append(extensions, object{"url": extPointer, "valuePositiveInt": p})
		}
	}
	if len(extensions) > 0 {
		out["extension"] = extensions
	}
	if len(notes) > 0 {
		out["note"] = notes
	}
	return out
}

func (e Entry) either(finished, draft string) string {
	if e.Finished {
		return finished
	}
	return draft
}

// provenance says who answers for the codes and what suggested them. Of a draft
// it is the rankers alone.
func (e Entry) provenance(targets []object) object {
	agent := func(kind, display string, who object) object {
		return object{"type": object{"coding": []object{{"system": sysAgent, "code": kind, "display": display}}}, "who": who}
	}
	var agents []object
	if e.Coder != "" {
		agents = append(agents, agent("verifier", "Verifier", object{"type": "Practitioner", "identifier": object{"system": "urn:chartcode:user", "value": e.Coder}, "display": e.Coder}))
	}
	for _, r := range e.Rankers {
		name := r.Name
		if r.Model != "" {
			name += " with " + r.Model
		}
		agents = append(agents, agent("assembler", "Assembler", object{"type": "Device", "identifier": object{"system": "urn:chartcode:ranker", "value": r.Name}, "display": name}))
	}
	if len(agents) == 0 { // nothing was suggested for a draft: the program itself
		agents = append(agents, agent("assembler", "Assembler", object{"type": "Device", "display": "chartcode"}))
	}
	out := object{"resourceType": "Provenance", "target": targets, "recorded": moment(e.recorded()), "agent": agents}
	var sources []object
	for _, id := range e.NoteIDs {
		sources = append(sources, object{"role": "source", "what": object{"type": "DocumentReference",
			"identifier": object{"system": "urn:chartcode:note:" + e.Source, "value": id}}})
	}
	if len(sources) > 0 {
		out["entity"] = sources
	}
	return out
}
