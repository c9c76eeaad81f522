package fetch

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"chartcode/internal/coding"
)

// source is where one file of a system's releases is published. {year} and
// {month} stand for the version's (2026, july).
type source struct {
	system  coding.System
	monthly bool // versions are written 2024-07; otherwise 2026
	what    string
	url     string
}

// sources is the one table of addresses. They follow the shape in which CMS has
// published its files for years and WERE NOT TRIED: this table was written
// without a way to reach the servers, and CMS adds words such as
// "-updated-02/01/2024" to files that it corrects. Where one does not
// answer, look up the address on the page named beside it and give it with
// --url.
var sources = []source{
	// https://www.cms.gov/medicare/coding-billing/icd-10-codes
	{coding.ICD10CM, false, "order file", "https://www.cms.gov/files/zip/{year}-code-descriptions-tabular-order.zip"},
	{coding.ICD10CM, false, "tabular list, Alphabetic Index and tables", "https://www.cms.gov/files/zip/{year}-code-tables-tabular-and-index.zip"},
	{coding.ICD10CM, false, "codes exempt from present-on-admission reporting", "https://www.cms.gov/files/zip/{year}-poa-exempt-codes.zip"},
	{coding.ICD10PCS, false, "order file", "https://www.cms.gov/files/zip/{year}-icd-10-pcs-order-file-long-and-abbreviated-titles.zip"},
	// https://www.cms.gov/medicare/coding-billing/healthcare-common-procedure-system/quarterly-update
	{coding.HCPCS, true, "Level II codes", "https://www.cms.gov/files/zip/{month}-{year}-alpha-numeric-hcpcs-file.zip"},
}

// File is one file of a release and where it is published.
type File struct {
	What string
	URL  string
}

var (
	yearly  = regexp.MustCompile(`^20\d\d$`)
	monthly = regexp.MustCompile(`^(20\d\d)-(\d\d)$`)
)

// Addresses gives the files of a release. The error says, for a person, what
// is wrong with system or version.
func Addresses(system coding.System, version string) ([]File, error) {
	var out []File
	for _, s := range sources {
		if s.system != system {
			continue
		}
		year, month := version, ""
		if s.monthly {
			m := monthly.FindStringSubmatch(version)
			if m == nil {
				return nil, fmt.Errorf("versions of %s are written with year and month, as 2024-07", system)
			}
			n, err := strconv.Atoi(m[2])
			if err != nil || n < 1 || n > 12 {
				return nil, fmt.Errorf("versions of %s are written with year and month, as 2024-07", system)
			}
			year, month = m[1], strings.ToLower(time.Month(n).String())
		} else if !yearly.MatchString(version) {
			return nil, fmt.Errorf("the addresses of %s are known by year, as 2026; give that of %s with --url", system, version)
		}
		out = append(out, File{What: s.what, URL: strings.NewReplacer("{year}", year, "{month}", month).Replace(s.url)})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no address is known for %s; give one with --url", system)
	}
	return out, nil
}
