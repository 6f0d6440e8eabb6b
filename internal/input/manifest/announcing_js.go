package manifest

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The program of a page, whose size is bounded, does not read kinds that say who announces
// addresses.

func withAnnouncing(kinds []knownKind) []knownKind { return kinds }

func (t typeMeta) isAnnouncing() bool { return false }

func newAnnouncing(typeMeta) any { return nil }

func (d *decoder) announcing(*outcome, *text, typeMeta) {}

func (d *decoder) finishAnnouncing(metav1.Object) metav1.Object { return nil }
