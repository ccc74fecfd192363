package goalert

// What an alert is read with. Its log is left out of lists: it costs GoAlert
// one query an alert, and a request has a hundred (measured on GoAlert after
// 0.34.1).
const fragmentAlert = `
fragment Alert on Alert {
  id alertID status summary details createdAt serviceID
  service { id name maintenanceExpiresAt }
  state { lastEscalation stepNumber repeatCount }
  noiseReason
  meta { key value }
}
`

const fragmentLog = `
fragment Log on Alert {
  recentEvents(input: {limit: 50}) {
    nodes { timestamp message state { details status } }
    pageInfo { hasNextPage endCursor }
  }
}
`

const fragmentList = `
fragment List on AlertConnection {
  nodes { ...Alert }
  pageInfo { hasNextPage endCursor }
}
`

// The operations that an API key may be made for.
const (
	operationEverything = `
query Everything($alerts: AlertSearchOptions) {
  alerts(input: $alerts) { ...List }
}
`
	operationLook = `
query Look($id: Int!) {
  alert(id: $id) { ...Alert ...Log }
}
`
	operationUpdate = `
mutation Update($update: UpdateAlertsInput!) {
  updateAlerts(input: $update) { alertID status }
}
`
	operationPolicies = `
query Policies($services: ServiceSearchOptions) {
  services(input: $services) {
    nodes {
      id
      labels { key value }
      onCallUsers { userID userName stepNumber }
      escalationPolicy { id name repeat steps { stepNumber delayMinutes } }
    }
  }
}
`
	operationSchedules = `
query Schedules($search: ScheduleSearchOptions, $start: ISOTimestamp!, $end: ISOTimestamp!) {
  list: schedules(input: $search) {
    nodes {
      id name
      shifts(start: $start, end: $end) { userID user { id name } start end truncated }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`
	operationSteps = `
query Steps($search: EscalationPolicySearchOptions) {
  list: escalationPolicies(input: $search) {
    nodes { id steps { stepNumber actions { type args } } }
    pageInfo { hasNextPage endCursor }
  }
}
`
	operationOverrides = `
query Overrides($search: UserOverrideSearchOptions) {
  list: userOverrides(input: $search) {
    nodes { start end addUserID removeUserID target { id } }
    pageInfo { hasNextPage endCursor }
  }
}
`
	operationPeople = `
query People($search: UserSearchOptions) {
  list: users(input: $search) {
    nodes { id name email }
    pageInfo { hasNextPage endCursor }
  }
}
`
)

// KeyDocument is the query that a GraphQL API key for Nightstand has to be made
// with: GoAlert binds a key to one text. The text itself is never sent, only the
// name of one of its operations, so that no difference in white space matters.
const KeyDocument = operationEverything + operationLook + operationUpdate + operationPolicies +
	operationSchedules + operationSteps + operationOverrides + operationPeople +
	fragmentAlert + fragmentLog + fragmentList

// What only a person's session can ask.
const (
	documentMe = `
query Me {
  user { ...Person }
}
` + fragmentPerson

	documentMine = `
query Mine($paged: AlertSearchOptions, $duty: AlertSearchOptions) {
  user { ...Person }
  paged: alerts(input: $paged) { ...List }
  duty: alerts(input: $duty) { ...List }
}
` + fragmentPerson + fragmentList + fragmentAlert

	documentEscalate = `
mutation Escalate($alerts: [Int!]) {
  escalateAlerts(input: $alerts) { alertID status }
}
`
	documentContacts = `
query Contacts {
  user { id name email contactMethods { disabled pending dest { type args } } }
}
`
	fragmentPerson = `
fragment Person on User {
  id name email
  onCallOverview { serviceAssignments { serviceID stepNumber } }
}
`
)
