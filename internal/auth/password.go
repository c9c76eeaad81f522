package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is the work of argon2id: memory in KiB, passes, lanes.
type Cost struct {
	Memory  uint32
	Passes  uint32
	Threads uint8
}

// DefaultCost is the least that the OWASP Password Storage Cheat Sheet
// recommends for argon2id: 19 MiB, 2 passes, 1 lane.
var DefaultCost = Cost{Memory: 19 * 1024, Passes: 2, Threads: 1}

const (
	saltBytes        = 16
	keyBytes         = 32
	passwordMinChars = 12
	passwordMaxBytes = 1024
)

// check refuses costs that argon2 cannot do, and those that a changed row in
// the database could use to exhaust the machine.
func (c Cost) check() error {
	if c.Memory < 8*uint32(c.Threads) || c.Memory > 1<<20 || c.Passes < 1 || c.Passes > 64 || c.Threads < 1 || c.Threads > 64 {
		return fmt.Errorf("auth: argon2id cannot work with %d KiB, %d passes and %d lanes", c.Memory, c.Passes, c.Threads)
	}
	return nil
}

// checkPassword says whether a new password is allowed. Length is what counts
// (NIST SP 800-63B, 3.1.1); no mixture of characters is asked for.
func checkPassword(login, password string) error {
	if !utf8.ValidString(password) || len(password) > passwordMaxBytes ||
		utf8.RuneCountInString(password) < passwordMinChars || strings.EqualFold(password, login) {
		return ErrPassword
	}
	return nil
}

// prepared makes the same password of what different keyboards send (NIST SP
// 800-63B, 3.1.1.2).
func prepared(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

// hashPassword gives the PHC string of a password with a new salt.
func hashPassword(password string, c Cost) string {
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	key := argon2.IDKey(prepared(password), salt, c.Passes, c.Memory, c.Threads, keyBytes)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, c.Memory, c.Passes, c.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

var errHash = errors.New("auth: a stored password hash cannot be read")

// verifyPassword reports whether the password is the one of the PHC string,
// and with what cost that was made.
func verifyPassword(phc, password string) (ok bool, c Cost, err error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false, Cost{}, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Passes, &c.Threads); err != nil {
		return false, Cost{}, errHash
	}
	if parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", c.Memory, c.Passes, c.Threads) || c.check() != nil {
		return false, Cost{}, errHash
	}
	salt, err := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	if err != nil || len(salt) < 8 || len(salt) > 64 {
		return false, Cost{}, errHash
	}
	want, err := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err != nil || len(want) < 16 || len(want) > 64 {
		return false, Cost{}, errHash
	}
	got := argon2.IDKey(prepared(password), salt, c.Passes, c.Memory, c.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, c, nil
}
