package home

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// private makes sure that nobody else can reach into the folder: the token of
// the loopback door lies in it, and a home of the user's choice inherits
// whatever its drive allows.
func private(folder string) error {
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("ask Windows who you are: %w", err)
	}
	// Full access for the user and the system, for what is made inside too, and
	// nothing from above.
	descriptor, err := windows.SecurityDescriptorFromString(
		"D:P(A;OICI;FA;;;" + me.User.Sid.String() + ")(A;OICI;FA;;;SY)")
	if err != nil {
		return fmt.Errorf("describe who may use the folder %s: %w", folder, err)
	}
	allowed, _, err := descriptor.DACL()
	if err != nil {
		return fmt.Errorf("describe who may use the folder %s: %w", folder, err)
	}
	const what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetNamedSecurityInfo(folder, windows.SE_FILE_OBJECT, what, nil, nil, allowed, nil); err != nil {
		return fmt.Errorf("keep others out of the folder %s: %w", folder, err)
	}
	return nil
}
