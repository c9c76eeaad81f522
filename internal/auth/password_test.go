package auth

import (
	"strings"
	"testing"
)

// quick is a cost that only tests may use.
var quick = Cost{Memory: 64, Passes: 1, Threads: 1}

func TestPasswordRoundTrip(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"correct horse battery", "Grüße aus Köln", "\u00e9t\u00e9 à la mer!", strings.Repeat("x", passwordMaxBytes)} {
		phc := hashPassword(password, quick)
		if strings.Contains(phc, password) {
			t.Fatal("the hash contains the password")
		}
		ok, cost, err := verifyPassword(phc, password)
		if !ok || err != nil || cost != quick {
			t.Errorf("the password does not fit its own hash: %v, %v, %v", ok, cost, err)
		}
		if ok, _, err := verifyPassword(phc, password+"x"); ok || err != nil {
			t.Errorf("another password fits: %v, %v", ok, err)
		}
		if hashPassword(password, quick) == phc {
			t.Error("two hashes of one password are equal: no salt")
		}
	}
}

// The same word typed on keyboards that compose letters differently.
func TestPasswordIsNormalised(t *testing.T) {
	t.Parallel()
	phc := hashPassword("caf\u00e9 au lait, deux", quick)
	if ok, _, err := verifyPassword(phc, "cafe\u0301 au lait, deux"); !ok || err != nil {
		t.Errorf("a decomposed letter does not fit the composed one: %v, %v", ok, err)
	}
}

// A test vector of the reference implementation (phc-winner-argon2,
// src/test.c: "password", "somesalt", t=2, m=2^16 KiB, p=1).
func TestPasswordReference(t *testing.T) {
	t.Parallel()
	const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, cost, err := verifyPassword(phc, "password"); !ok || err != nil || cost != (Cost{65536, 2, 1}) {
		t.Errorf("got %v, %v, %v", ok, cost, err)
	}
}

func TestDefaultCostIsAllowed(t *testing.T) {
	t.Parallel()
	if err := DefaultCost.check(); err != nil {
		t.Error(err)
	}
	ok, cost, err := verifyPassword(hashPassword("correct horse battery", DefaultCost), "correct horse battery")
	if !ok || err != nil || cost != DefaultCost {
		t.Errorf("got %v, %v, %v", ok, cost, err)
	}
}

func TestBrokenHashes(t *testing.T) {
	t.Parallel()
	good := hashPassword("correct horse battery", quick)
	for name, phc := range map[string]string{
		"empty":           "",
		"plain":           "correct horse battery",
		"other function":  strings.Replace(good, "argon2id", "argon2i", 1),
		"other version":   strings.Replace(good, "v=19", "v=16", 1),
		"too much memory": strings.Replace(good, "m=64", "m=4194304", 1),
		"too many passes": strings.Replace(good, "t=1", "t=4000000000", 1),
		"no lanes":        strings.Replace(good, "p=1", "p=0", 1),
		"extra parameter": strings.Replace(good, "p=1", "p=1,x=2", 1),
		"signed":          strings.Replace(good, "m=64", "m=+64", 1),
		"no salt":         strings.Replace(good, strings.Split(good, "$")[4], "", 1),
		"short key":       good[:len(good)-30],
		"not base64":      good + "!",
	} {
		if ok, _, err := verifyPassword(phc, "correct horse battery"); ok || err == nil {
			t.Errorf("%s: got %v, %v; want an error", name, ok, err)
		} else if strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "$") {
			t.Errorf("%s: the error repeats the hash: %v", name, err)
		}
	}
}

func FuzzVerifyPassword(f *testing.F) {
	f.Add(hashPassword("correct horse battery", quick), "correct horse battery")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "x")
	f.Fuzz(func(t *testing.T, phc, password string) {
		if strings.Count(phc, "m=") > 0 && len(phc) > 0 && costly(phc) {
			t.Skip()
		}
		ok, _, err := verifyPassword(phc, password)
		if ok && err != nil {
			t.Error("fits and fails at once")
		}
	})
}

// costly keeps the fuzzer from spending its time in argon2 itself.
func costly(phc string) bool {
	parts := strings.Split(phc, "$")
	return len(parts) == 6 && len(parts[3]) > len("m=999,t=1,p=1")
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]bool{
		"twelve chars":   true,
		"eleven char":    false,
		"ññññññññññññ":   true, // characters, not bytes
		"":               false,
		"Casey.Coder01":  false, // the user name
		"casey.coder01 ": true,
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff": false,
		strings.Repeat("x", passwordMaxBytes+1):            false,
	} {
		if got := checkPassword("casey.coder01", password) == nil; got != want {
			t.Errorf("%q: got %v, want %v", password, got, want)
		}
	}
}
