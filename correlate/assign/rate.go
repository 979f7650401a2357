package assign

import (
	"math"
	"slices"
	"strings"
)

// Constants of the rates. Times are hours; those marked T are for an organisation of tempo 1 and scale with it.
const (
	timeScale    = 0.2        // T: after an onset, and after a member
	justBefore   = 1.5 / 60   // before an onset: clocks and rounding
	whileBefore  = 15.0 / 60  // before an onset: people come a little later
	longBefore   = 1.2        // T: before an onset, still firing then: people come late
	endedBefore  = 0.1        // of that where it had ended
	toldShare    = 0.8        // of an incident's alerts that begin around its onset
	insideRate   = 0.06       // an hour, while users are affected
	insideShare  = 0.3        // of an incident's alerts, over its length, where that is more
	insideOthers = 0.15       // of that for services the record does not name and none of whose alerts belongs yet
	pastEnd      = 4.0 / 60   // after an end that is told
	companyShare = 0.1        // of the alerts that follow a member closely
	firingRate   = 0.1        // an hour, while a member fires
	joinFade     = 0.7        // T: who joins, joins early
	relapseRate  = 0.06       // an hour, of what may open on a service of an incident that alerts opened
	endScale     = 4.0 / 60   // of an alert's end around the record's
	endBase      = 0.6        //
	endPeak      = 2.9        //
	endMost      = 1.2        // nats
	placeOne     = 0.65       // of incidents that are in one place
	placeStated  = 3.0        // nats
	placeSlip    = 0.05       // of alerts of an incident in one place that are elsewhere
	namedWorth   = 4.0        // nats, of a reference by name
	sureFrom     = 0.6        // a member counts for company's firing from this share on
	ageShare     = 1.0        // nats that an opened incident's company fades by for each median duration past the first
	seedShare    = 0.3        // incidents nobody writes about, of those written about
	seedServices = 2.0        // of which any service may be hit: divided by their number
	seedBurst    = shareSame  //
	seedEarly    = 0.25       // T: members that say which services an opened incident is of
	coolAfter    = 8.0        // time scales after which company is no more
	clockOff     = 5.0 / 60   // an incident moved by a wrong clock begins so long before its outbreak at most
	clockOn      = 15.0 / 60  // and so long after
	lookBack     = 10.0 / 60  // what nothing explains joins what begins so soon after it
	splitWithin  = 10.0 / 60  // a burst inside an incident
	keepWorth    = 10.0       // nats that an outbreak must be worth to be an incident
	unanswered   = 5.0        // nats for a record that no alert answers
	answerWithin = 0.5        // T: after an onset, an alert answers it
	inPlaceMin   = 2          // values a place label must have
	inPlaceMost  = 60         //
	reachSilent  = 1e-5       // rates below this matter to nobody
	smallest     = 1e-12      //
	minWindow    = 5.0 / 60.0 //
)

// terms are what a rate is made of.
type terms struct {
	share  float64 // episodes of one alert on this service that the incident makes
	tie    Tie
	via    int // the incident's service the tie is to, by number
	time   float64
	how    timing
	gap    float64 // hours after (before, where negative) what how says
	inside float64 // an hour, what a service has besides once alerts of it belong
	end    float64 // factors from here
	place  float64
	where  Place
	named  string
}

// timing says what the time of an alert was weighed by.
type timing int

const (
	afterOnset timing = iota
	beforeOnset
	insideWindow
	afterMember
	whileFiring
	asRelapse
)

func (t *terms) rate() float64 { return t.share * t.time * t.end * t.place * t.worth() }

func (t *terms) worth() float64 {
	if t.named != "" {
		return math.Exp(namedWorth)
	}
	return 1
}

// static are the terms of a record's incident that do not depend on what else belongs to it.
func (s *solver) static(k *Known, i int) terms {
	x := &s.alerts[i]
	t := terms{end: 1, place: 1}
	t.tie, t.via = s.tie(s.services[k.ID], s.service[i])
	t.share = t.tie.Share
	t.time, t.inside, t.how, t.gap = s.told(k, x, t.tie.Kind == Same)
	if k.Ended && x.Ended {
		t.end = math.Exp(math.Min(endMost, math.Max(0, math.Log(endBase+endPeak*math.Exp(-math.Abs(x.End-k.End)/endScale)))))
	}
	for _, n := range x.Named {
		if n.Incident == k.ID {
			t.named = n.How
		}
	}
	return t
}

// tie is the closest tie of an alert to the services of an incident.
func (s *solver) tie(services []int, service int) (best Tie, via int) {
	if len(services) == 0 {
		return Tie{Kind: Unsaid, Share: shareUnsaid / math.Max(1, s.org.Services)}, 0
	}
	for _, f := range services {
		if t := s.tieOf(f, service); t.Share > best.Share {
			best, via = t, f
		}
	}
	return best, via
}

// tieOf is how alerts of a service stand to another, looked up once. There are few ties, and many pairs.
func (s *solver) tieOf(failed, alert int) Tie {
	if failed == alert || alert == 0 {
		return s.graph.Tie(s.names[failed], s.names[alert])
	}
	row := s.ties[failed]
	if row == nil {
		row = make([]uint8, s.own)
		s.ties[failed] = row
	}
	if row[alert] == 0 {
		t := s.graph.Tie(s.names[failed], s.names[alert])
		n := slices.Index(s.tieKinds, t)
		if n < 0 {
			n = len(s.tieKinds)
			s.tieKinds = append(s.tieKinds, t)
		}
		row[alert] = uint8(n)
	}
	return s.tieKinds[row[alert]]
}

// intern gives the services of a cell numbers; 0 is that of none.
func (s *solver) intern(known []*Known) {
	ids := map[string]int{"": 0}
	s.names = []string{""}
	id := func(name string) int {
		n, ok := ids[name]
		if !ok {
			n = len(s.names)
			ids[name], s.names = n, append(s.names, name)
		}
		return n
	}
	s.service = make([]int, len(s.alerts))
	for i := range s.alerts {
		s.service[i] = id(s.alerts[i].Service)
	}
	s.own = len(s.names)
	s.services = map[string][]int{}
	for _, k := range known {
		for _, v := range k.Services {
			s.services[k.ID] = append(s.services[k.ID], id(v))
		}
	}
	for i := range s.carried {
		for _, v := range s.carried[i].Services {
			id(v)
		}
		for v := range s.carried[i].Joined {
			id(v)
		}
		for v := range s.carried[i].Early {
			id(v)
		}
	}
	s.ids, s.ties, s.tieKinds = ids, make([][]uint8, len(s.names)), []Tie{{}}
}

// told is at which rate an incident's alerts begin at this time, by what its records tell.
func (s *solver) told(k *Known, x *Alert, own bool) (rate, more float64, how timing, gap float64) {
	onset := k.Onset + s.shift[k.ID]
	end, last := k.End+s.shift[k.ID], max(k.Last, k.End, k.Onset)+s.shift[k.ID]
	d := x.Start - onset
	if d < -ReachBefore || x.Start > last+ReachAfter {
		return 0, 0, afterOnset, d
	}
	w := s.org.Lateness[k.Milestone]
	if d >= 0 {
		rate, how = w[0]*math.Exp(-d/s.scale)/s.scale, afterOnset
	} else {
		scale := longBefore * s.tempo
		late := w[3] * math.Exp(d/scale) / scale
		if x.End < onset {
			late *= endedBefore
		}
		rate, how = w[1]*math.Exp(d/justBefore)/justBefore+w[2]*math.Exp(d/whileBefore)/whileBefore+late, beforeOnset
	}
	rate *= toldShare
	for _, win := range k.Windows {
		from, to := win[0]+s.shift[k.ID], win[1]+s.shift[k.ID]
		if x.Start < from || x.Start > to {
			continue
		}
		inside := math.Max(insideRate, insideShare/math.Max(minWindow, to-from))
		if !own {
			more = inside * (1 - insideOthers)
			inside *= insideOthers
		}
		if inside > rate {
			how = insideWindow
		}
		rate += inside
		break
	}
	if k.Ended && x.Start > end {
		rate *= math.Exp(-(x.Start - end) / pastEnd)
		more *= math.Exp(-(x.Start - end) / pastEnd)
	}
	return rate, more, how, d
}

// state is an incident while a pass goes through the alerts. Services are numbers of the solver.
type state struct {
	id       string
	known    *Known // nil for one that alerts opened
	onset    float64
	services []int
	joined   []weight
	// company is the weight of the nearest member, as of at; last is when that began. until is when the last member that is
	// sure ends.
	company, at, last, until float64
	places                   []placeWeights
	members                  []int
	worth                    float64 // of an opened one
	early                    []weight
	group                    string
	carried                  bool // it was kept in an earlier cell
	seed                     int  // the alert that began it, -1 for none here
	carriedAs                int  // its place among what is carried, where it was
	turned                   bool // an alert of this cell joined it
	stamp, asked             int  // the alert it was weighed for last, and that asked for it
	hot                      bool // company may come to it
	heated                   int  // its place among what is hot
}

// weight is how much of something there is of a service.
type weight struct {
	service int
	of      float64
}

func find(list []weight, service int) *weight {
	for i := range list {
		if list[i].service == service {
			return &list[i]
		}
	}
	return nil
}

// placeWeights are what members and statements say of one place label, in order of value.
type placeWeights struct {
	label  string
	values []placeWeight
	total  float64
	// ratios are what placeRatio gave since the weights last changed: for each value, and last for any other. 0 is not asked.
	ratios []float64
}

type placeWeight struct {
	value string
	of    float64
}

func (s *solver) newState(k *Known) *state {
	st := &state{
		id: k.ID, known: k, onset: k.Onset + s.shift[k.ID], services: s.services[k.ID], seed: -1, at: math.Inf(-1),
		until: math.Inf(-1), last: math.Inf(-1),
	}
	for _, p := range k.Places {
		st.placeAt(p, placeStated/s.placeNats(p.Label))
	}
	return st
}

// placeNats is what one alert in a place says for it.
func (s *solver) placeNats(label string) float64 {
	return math.Log((1 - placeSlip) * s.values(label))
}

func (s *solver) values(label string) float64 {
	return math.Min(inPlaceMost, math.Max(inPlaceMin, s.org.Values[label]))
}

func (st *state) placeAt(p Place, w float64) {
	for i := range st.places {
		l := &st.places[i]
		if l.label != p.Label {
			continue
		}
		l.total += w
		l.ratios = nil
		for k := range l.values {
			if l.values[k].value == p.Value {
				l.values[k].of += w
				return
			}
		}
		l.values = append(l.values, placeWeight{p.Value, w})
		slices.SortFunc(l.values, func(a, b placeWeight) int { return strings.Compare(a.value, b.value) })
		return
	}
	st.places = append(st.places, placeWeights{label: p.Label, values: []placeWeight{{p.Value, w}}, total: w})
}

// place is how much likelier an alert of the incident is in this alert's place than one drawn at random, by the label that
// contradicts most, else by the one that agrees most.
func (s *solver) place(st *state, x *Alert) (factor float64, where Place) {
	worst, best := 1.0, 1.0
	var bad, good Place
	for _, p := range x.Places {
		for i := range st.places {
			if st.places[i].label != p.Label {
				continue
			}
			r := s.placeRatio(&st.places[i], p.Value)
			if r < worst {
				worst, bad = r, p
			}
			if r > best {
				best, good = r, p
			}
		}
	}
	if worst < 1 {
		return worst, bad
	}
	return best, good
}

func (s *solver) placeRatio(l *placeWeights, value string) float64 {
	at := slices.IndexFunc(l.values, func(v placeWeight) bool { return v.value == value })
	if at < 0 {
		at = len(l.values)
	}
	if l.ratios == nil {
		l.ratios = make([]float64, len(l.values)+1)
	}
	if l.ratios[at] == 0 {
		l.ratios[at] = s.placeRatioOf(l, at)
	}
	return l.ratios[at]
}

// placeRatioOf is the ratio of one of the values, or of any other.
func (s *solver) placeRatioOf(l *placeWeights, at int) float64 {
	n := s.values(l.label)
	in, out := (1-placeSlip)*n, placeSlip*n/(n-1)
	logIn, logOut := math.Log(in), math.Log(out)
	weigh := func(c float64) float64 { // of the hypothesis that it is in one place, which holds c of the members
		return placeOne / n * math.Exp(c*logIn+(l.total-c)*logOut)
	}
	all := 1 - placeOne
	sum, likely, seen := all, all, false
	for i := range l.values {
		w := weigh(l.values[i].of)
		sum += w
		if i == at {
			likely, seen = likely+w*in, true
		} else {
			likely += w * out
		}
	}
	if rest := n - float64(len(l.values)); rest > 0 {
		w := weigh(0)
		sum += rest * w
		if seen {
			likely += rest * w * out
		} else {
			likely += w*in + (rest-1)*w*out
		}
	}
	return likely / sum
}

// of are the terms of an incident in its present state for an alert; base are its static ones, for one of records.
func (s *solver) of(st *state, i int, base *terms) terms {
	var t terms
	s.terms++
	x := &s.alerts[i]
	if base != nil {
		t = *base
	} else {
		t = terms{end: 1, place: 1}
		if st.known != nil {
			t = s.static(st.known, i)
		} else {
			t.tie, t.via = s.tie(st.services, s.service[i])
			t.share = t.tie.Share
		}
	}
	joined := 0.0
	if v := s.service[i]; v != 0 {
		if w := find(st.joined, v); w != nil {
			joined = w.of
		}
	}
	if j := shareJoined * joined; j > t.share {
		t.share, t.tie, t.via = j, Tie{Kind: Joined, Share: j}, s.service[i]
	}
	if more := t.inside * joined; more > 0 {
		if more > t.time {
			t.how = insideWindow
		}
		t.time += more
	}
	if x.Opens && s.opt.ByService && t.named == "" && (t.tie.Kind == Untied || t.tie.Kind == Uncharted || t.tie.Kind == Siblings) {
		t.share = 0 // where nothing is weighed it stands for its own service
	}
	company, how := 0.0, afterMember
	if st.company > 0 {
		company = companyShare / s.scale * st.company * math.Exp(-(x.Start-st.at)/s.scale)
		if st.until > x.Start {
			company += firingRate
			if x.Start-st.last > 2*s.scale {
				how = whileFiring
			}
		}
		if joined == 0 && t.tie.Kind != Same {
			company *= math.Exp(-math.Max(0, x.Start-st.onset) / (joinFade * s.tempo))
		}
		if k := st.known; k != nil && k.Ended {
			company *= math.Exp(-math.Max(0, x.Start-k.End-s.shift[k.ID]) / pastEnd)
		}
		if st.known == nil {
			company *= math.Exp(-ageShare * math.Max(0, (x.Start-st.onset)/s.org.Median-1))
		}
	}
	if st.known == nil && x.Opens && t.tie.Kind == Same && st.group == x.Group && x.Start <= st.until+s.opt.Quiet+s.opt.Reopen &&
		relapseRate > company {
		company, how = relapseRate, asRelapse
	}
	if company > t.time*t.worth() { // a name says nothing of what comes later
		t.named = ""
		t.time, t.how, t.gap = company, how, x.Start-st.last
	}
	if len(st.places) > 0 && len(x.Places) > 0 && t.rate() >= reachSilent {
		t.place, t.where = s.place(st, x)
	}
	return t
}

// add makes an alert a member of an incident, as likely as p.
func (s *solver) add(st *state, i int, p float64) {
	x := &s.alerts[i]
	fresh := st.company * math.Exp(-(x.Start-st.at)/s.scale)
	if p >= fresh {
		st.company, st.at, st.last = p, x.Start, x.Start
	}
	if p >= sureFrom {
		st.until = math.Max(st.until, x.End)
	}
	if v := s.service[i]; v != 0 {
		if w := find(st.joined, v); w != nil {
			w.of = math.Max(w.of, p)
		} else {
			st.joined = append(st.joined, weight{v, p})
		}
	}
	for _, pl := range x.Places {
		st.placeAt(pl, p)
	}
	st.members = append(st.members, i)
	if v := s.service[i]; st.known == nil && v != 0 && x.Start-st.onset <= seedEarly*s.tempo {
		if w := find(st.early, v); w != nil {
			w.of++
		} else {
			st.early = append(st.early, weight{v, 1})
		}
		st.services = mostOf(st.early)
	}
}

// mostOf are the services of which there is most.
func mostOf(list []weight) (out []int) {
	most := 0.0
	for _, w := range list {
		most = math.Max(most, w.of)
	}
	for _, w := range list {
		if w.of == most {
			out = append(out, w.service)
		}
	}
	return out
}
