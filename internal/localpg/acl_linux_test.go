package localpg

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWithPass(t *testing.T) {
	plain := []aclEntry{{aclUserOwner, 7, aclNoID}, {aclGroupOwner, 0, aclNoID}, {aclOther, 0, aclNoID}}
	granted := []aclEntry{
		{aclUserOwner, 7, aclNoID}, {aclUser, aclExecute, 101}, {aclGroupOwner, 0, aclNoID},
		{aclMask, aclExecute, aclNoID}, {aclOther, 0, aclNoID},
	}
	if diff := cmp.Diff(granted, withPass(plain, 101)); diff != "" {
		t.Errorf("private folder (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(granted, withPass(granted, 101)); diff != "" {
		t.Errorf("granted before (-want +got):\n%s", diff)
	}
	// The group keeps what it had; an existing mask is widened by no more than is needed.
	group := []aclEntry{{aclUserOwner, 7, aclNoID}, {aclGroupOwner, 6, aclNoID}, {aclOther, 0, aclNoID}}
	if got := withPass(group, 101); got[3] != (aclEntry{aclMask, 7, aclNoID}) {
		t.Errorf("mask = %v, want rwx", got[3])
	}
	masked := []aclEntry{
		{aclUserOwner, 7, aclNoID}, {aclUser, 4, 50}, {aclUser, 6, 200}, {aclGroupOwner, 6, aclNoID},
		{aclMask, 4, aclNoID}, {aclOther, 0, aclNoID},
	}
	want := []aclEntry{
		{aclUserOwner, 7, aclNoID}, {aclUser, 4, 50}, {aclUser, aclExecute, 101}, {aclUser, 6, 200},
		{aclGroupOwner, 6, aclNoID}, {aclMask, 5, aclNoID}, {aclOther, 0, aclNoID},
	}
	if diff := cmp.Diff(want, withPass(masked, 101)); diff != "" {
		t.Errorf("with a list (-want +got):\n%s", diff)
	}
}
