package ipam

// ConditionOf is exported for tests.
var ConditionOf = conditionOf
