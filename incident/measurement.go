package incident

import "time"

// Point names an end of an interval: a milestone, or a time that the linked alerts tell.
type Point string

// The points that alerts tell. Every milestone is a point too, by its name.
const (
	PointCondition Point = "condition_true" // the first linked alert's condition became true
	PointFired     Point = "alert_fired"    // the first linked alert fired, after its rule's `for`
	PointNotified  Point = "alert_notified" // its first notification was received
	PointEnded     Point = "alerts_ended"   // the last linked alert ended
)

// PointOpened is when the first record of an incident was made, else the first notification of a linked alert: where pagers and
// trackers begin to count.
const PointOpened Point = "opened"

// Points lists every point that an interval can name.
func Points() []Point {
	p := make([]Point, 0, len(MilestoneNames)+5)
	for _, m := range MilestoneNames {
		p = append(p, Point(m))
	}
	return append(p, PointCondition, PointFired, PointNotified, PointEnded, PointOpened)
}

// Interval is a named pair of points.
type Interval struct {
	Name string `json:"name"`
	From Point  `json:"from"`
	To   Point  `json:"to"`
	// Calendar says which time counts; nil for all of it.
	Calendar *Calendar `json:"calendar,omitempty"`
}

// DefaultIntervals are the intervals measured where the configuration says nothing else.
func DefaultIntervals() []Interval {
	return []Interval{
		{Name: "detect", From: Point(Started), To: Point(Detected)},           // its mean is MTTD
		{Name: "acknowledge", From: Point(Detected), To: Point(Acknowledged)}, // MTTA
		{Name: "identify", From: Point(Detected), To: Point(Identified)},      // MTTI
		{Name: "mitigate", From: Point(Started), To: Point(Mitigated)},        // MTTM
		{Name: "resolve", From: Point(Started), To: Point(Resolved)},          // MTTR
		{Name: "pending", From: PointCondition, To: PointFired},
		{Name: "notify", From: PointFired, To: PointNotified},
		{Name: "paperwork", From: PointEnded, To: Point(Resolved)},
		{Name: "handle", From: PointOpened, To: Point(Resolved)}, // MTTR as pagers and trackers count it
	}
}

// Status says whether a measurement is known, and if not, why.
type Status string

const (
	StatusRecorded      Status = "recorded"       // both ends are known and the end is not before the start
	StatusPending       Status = "pending"        // the incident is open and the end has not come
	StatusMissing       Status = "missing"        // an end is not known and will not come by itself
	StatusInvalid       Status = "invalid"        // the end is before the start
	StatusNotApplicable Status = "not_applicable" // a drill, a maintenance, a cancelled incident
)

// Statuses lists every status.
var Statuses = []Status{StatusRecorded, StatusPending, StatusMissing, StatusInvalid, StatusNotApplicable}

// Measurement is one interval of one incident. Seconds is meaningful only where Status is recorded: unknown is not zero.
type Measurement struct {
	Status  Status   `json:"status"`
	Seconds *float64 `json:"seconds,omitempty"`
	// Why says in words why an end that alerts would tell is missing; empty where there is nothing to say.
	Why string `json:"why,omitempty"`
}

// Recorded is the measurement of a known duration.
func Recorded(d time.Duration) Measurement {
	s := d.Seconds()
	return Measurement{Status: StatusRecorded, Seconds: &s}
}
