package postmortem


