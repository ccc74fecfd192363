package supervise

import (
	"bytes"
	"encoding/xml"
	"fmt"
)

// launchLabel is the name of the LaunchAgent.
const launchLabel = "nightstand.agent"

// launchAgent is the property list for launchd. It starts the guarding parent
// and not the agent, because launchd waits ten seconds between two starts and
// knows no watchdog. Exit code 0 means that the user quit. After a final code
// launchd tries again every ten seconds, so it takes over as soon as the other
// agent has gone.
func launchAgent(r Registration) string {
	environment := plistString("key", supervisorVariable) + plistString("string", string(Launchd))
	if r.Home != "" {
		environment += plistString("key", "NIGHTSTAND_HOME") + plistString("string", r.Home)
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- %s; "nightstand uninstall" removes it. -->
<plist version="1.0">
<dict>
<key>Label</key>%s
<key>ProgramArguments</key>
<array>%s<string>agent</string><string>--guarded</string></array>
<key>EnvironmentVariables</key>
<dict>%s</dict>
<key>RunAtLoad</key><true/>
<key>KeepAlive</key>
<dict><key>SuccessfulExit</key><false/></dict>
<key>ThrottleInterval</key><integer>10</integer>
<key>ProcessType</key><string>Interactive</string>
</dict>
</plist>
`, mark, plistString("string", launchLabel), plistString("string", r.Executable), environment)
}

func plistString(element, text string) string {
	return "<" + element + ">" + escapeXML(text) + "</" + element + ">"
}

func escapeXML(text string) string {
	var out bytes.Buffer
	// A buffer takes every write, so there is no error to hear of.
	_ = xml.EscapeText(&out, []byte(text))
	return out.String()
}
