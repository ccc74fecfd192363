package page

// Person is somebody whom a paging service knows.
type Person struct {
	// ID is the identity at the service.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Email is empty where the service does not tell.
	Email string `json:"email,omitempty"`
	// Zone is the IANA name of the person's time zone; empty when not known.
	Zone string `json:"zone,omitempty"`
	// Me says that the account's own user is meant.
	Me       bool      `json:"me,omitempty"`
	Contacts []Contact `json:"contacts,omitempty"`
}

// ContactKind is a way to reach a person.
type ContactKind string

// The ways that paging services know.
const (
	Phone        ContactKind = "phone"
	SMS          ContactKind = "sms"
	Push         ContactKind = "push"
	Mail         ContactKind = "email"
	OtherContact ContactKind = "other"
)

// Contact is one way to reach a person.
type Contact struct {
	Kind ContactKind `json:"kind"`
	// Address is the number or the address; empty where the service keeps it to
	// itself.
	Address string `json:"address,omitempty"`
	// Enabled says that the service would use it; a number that was never
	// verified or that is switched off is not.
	Enabled bool `json:"enabled"`
}
