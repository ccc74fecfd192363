package terminal

// Finding is one thing the doctor looked at. State is ok, warning, failed or
// unknown; Fix says what to do when it is not ok.
type Finding struct {
	Name   string `json:"name"`
	State  string `json:"state"`
	Detail string `json:"detail"`
	Fix    string `json:"fix"`
}

type doctorCommand struct{ printing }

// Help tells how it ends.
func (*doctorCommand) Help() string {
	return "It needs no running agent and changes nothing. It ends with 0 whatever it finds; whether a page would wake you is what “nightstand status” answers."
}

// Run prints what this machine offers.
func (c *doctorCommand) Run(s *session) error {
	findings := s.Doctor(s.ctx)
	if c.JSON {
		if findings == nil {
			findings = []Finding{}
		}
		return s.print(findings)
	}
	var rows []row
	for _, f := range findings {
		mark, with := marked(f.State)
		rows = append(rows, row{[]string{mark, f.Name, f.Detail}, with})
		if f.Fix != "" && f.State != "ok" {
			rows = append(rows, row{cells: []string{"", "", "To do: " + f.Fix}})
		}
	}
	s.table(rows)
	return nil
}
