package simulate

import "chartcode/internal/coding"

// condition is a code with the words by which a note states it.
type condition struct{ code, title, words string }

// conditions are ICD-10-CM codes (public domain) that many notes have.
var conditions = []condition{
	{"I10", "Essential (primary) hypertension", "Essential hypertension"},
	{"E11.9", "Type 2 diabetes mellitus without complications", "Type 2 diabetes without complication"},
	{"E11.22", "Type 2 diabetes mellitus with diabetic chronic kidney disease", "Type 2 diabetes with diabetic chronic kidney disease"},
	{"E78.5", "Hyperlipidemia, unspecified", "Hyperlipidemia"},
	{"N18.30", "Chronic kidney disease, stage 3 unspecified", "Chronic kidney disease stage 3"},
	{"I25.10", "Atherosclerotic heart disease of native coronary artery without angina pectoris", "Coronary artery disease without angina"},
	{"I48.91", "Unspecified atrial fibrillation", "Atrial fibrillation"},
	{"I50.22", "Chronic systolic (congestive) heart failure", "Chronic systolic heart failure"},
	{"J44.9", "Chronic obstructive pulmonary disease, unspecified", "Chronic obstructive pulmonary disease"},
	{"J45.909", "Unspecified asthma, uncomplicated", "Asthma, uncomplicated"},
	{"J18.9", "Pneumonia, unspecified organism", "Pneumonia"},
	{"N39.0", "Urinary tract infection, site not specified", "Urinary tract infection"},
	{"K21.9", "Gastro-esophageal reflux disease without esophagitis", "Gastroesophageal reflux disease"},
	{"M54.50", "Low back pain, unspecified", "Low back pain"},
	{"M17.11", "Unilateral primary osteoarthritis, right knee", "Primary osteoarthritis of the right knee"},
	{"F32.A", "Depression, unspecified", "Depression"},
	{"F41.1", "Generalized anxiety disorder", "Generalized anxiety disorder"},
	{"E03.9", "Hypothyroidism, unspecified", "Hypothyroidism"},
	{"D64.9", "Anemia, unspecified", "Anemia"},
	{"G47.33", "Obstructive sleep apnea (adult) (pediatric)", "Obstructive sleep apnea"},
	{"R07.9", "Chest pain, unspecified", "Chest pain"},
	{"R10.9", "Unspecified abdominal pain", "Abdominal pain"},
	{"R51.9", "Headache, unspecified", "Headache"},
	{"E66.9", "Obesity, unspecified", "Obesity"},
	{"N17.9", "Acute kidney failure, unspecified", "Acute kidney failure"},
	{"A41.9", "Sepsis, unspecified organism", "Sepsis"},
	{"I63.9", "Cerebral infarction, unspecified", "Cerebral infarction"},
	{"S93.401A", "Sprain of unspecified ligament of right ankle, initial encounter", "Sprain of the right ankle"},
}

var (
	sources     = []weighted[string]{{"sim-north", 50}, {"sim-south", 30}, {"sim-lakeside", 20}}
	specialties = []weighted[string]{
		{"Internal Medicine", 20}, {"Family Medicine", 18}, {"Cardiology", 12}, {"Emergency Medicine", 10}, {"Orthopedics", 8}, {"Pulmonology", 7},
		{"Nephrology", 6}, {"Gastroenterology", 6}, {"Neurology", 5}, {"Psychiatry", 4}, {"Endocrinology", 3}, {"", 1},
	}
	settings = []weighted[coding.Setting]{{coding.Outpatient, 55}, {coding.Professional, 20}, {coding.Emergency, 15}, {coding.Inpatient, 10}}
	reasons  = []weighted[coding.ReasonCode]{
		{coding.RejectNotInNote, 18}, {coding.RejectRuledOut, 22}, {coding.RejectHistory, 16}, {coding.RejectNotThisVisit, 14}, {coding.RejectLessSpecific, 12},
		{coding.RejectWrongDetail, 8}, {coding.RejectIntegral, 5}, {coding.RejectOther, 2}, {coding.RejectAnotherReason, 1}, {"", 2},
	}
	noteTypes = map[coding.Setting]string{
		coding.Outpatient: "progress note", coding.Professional: "consultation", coding.Emergency: "emergency department note", coding.Inpatient: "discharge summary",
	}
	// sizes are the usual lengths of notes in bytes.
	sizes = map[coding.Setting]float64{coding.Outpatient: 1500, coding.Professional: 1100, coding.Emergency: 2600, coding.Inpatient: 7500}
	// minutes are the usual active minutes for an encounter.
	minutes = map[coding.Setting]float64{coding.Outpatient: 3.8, coding.Professional: 3, coding.Emergency: 5.1, coding.Inpatient: 13.5}

	firstNames = []string{"Avery", "Blake", "Casey", "Dana", "Eden", "Finley", "Gray", "Harper", "Indigo", "Jordan", "Kai", "Logan", "Morgan", "Noel", "Oakley", "Parker", "Quinn", "Riley", "Sage", "Taylor"}
	lastNames  = []string{"Abbot", "Birch", "Cole", "Drake", "Ellis", "Frost", "Grove", "Hale", "Ives", "Juniper", "Kerr", "Lowe", "Marsh", "North", "Orchard", "Pike", "Quill", "Reed", "Stone", "Thorne"}
)

// filler are sentences that state no condition.
var filler = []string{
	"Reviewed the plan with the patient, who agrees.", "Medications were gone over and continued as listed.", "Vital signs are stable.",
	"No change in social circumstances since the last visit.", "Follow up as arranged, sooner if anything worsens.", "Laboratory values were reviewed and discussed.",
	"The patient walks without help and lives at home.", "Diet and exercise were discussed at length.", "Questions were answered.",
}
