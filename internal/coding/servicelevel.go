package coding

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ServiceLevels say how long an encounter may take from its receipt to its
// finishing, in time of working days.
type ServiceLevels struct {
	levels []serviceLevel
}

type serviceLevel struct {
	source  string  // empty: all
	setting Setting // empty: all
	within  time.Duration
}

// DefaultServiceLevel holds where nothing else is said.
const DefaultServiceLevel = 24 * time.Hour

// ErrServiceLevel says how service levels are written.
var ErrServiceLevel = errors.New("must be hours, such as 24, and exceptions SOURCE/SETTING=HOURS with * for all, such as 24,*/emergency=4,north/inpatient=48; hours are whole, up to 72, or multiples of 24")

// ParseServiceLevels reads hours and exceptions, separated by commas. The most
// specific holds: source and setting, then source, then setting, then all.
func ParseServiceLevels(text string) (l ServiceLevels, err error) {
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, hours, exception := strings.Cut(part, "=")
		var at serviceLevel
		if !exception {
			hours = name
		} else {
			source, setting, both := strings.Cut(strings.TrimSpace(name), "/")
			if !both || source == "" || setting == "" || setting != "*" && !Setting(setting).Valid() {
				return ServiceLevels{}, ErrServiceLevel
			}
			if source != "*" {
				at.source = source
			}
			if setting != "*" {
				at.setting = Setting(setting)
			}
		}
		n, err := strconv.Atoi(strings.TrimSpace(hours))
		if err != nil || n < 1 || n > 24*365 || n > 72 && n%24 != 0 {
			return ServiceLevels{}, ErrServiceLevel
		}
		at.within = time.Duration(n) * time.Hour
		l.levels = append(l.levels, at)
	}
	return l, nil
}

// Of gives the level for a source and setting.
func (l ServiceLevels) Of(source string, setting Setting) time.Duration {
	within, best := DefaultServiceLevel, -1
	for _, at := range l.levels {
		if at.source != "" && at.source != source || at.setting != "" && at.setting != setting {
			continue
		}
		specific := 0
		if at.setting != "" {
			specific = 1
		}
		if at.source != "" {
			specific += 2
		}
		if specific >= best {
			within, best = at.within, specific
		}
	}
	return within
}
