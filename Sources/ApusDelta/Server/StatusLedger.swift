internal import ApusCore

/// The part of a subscription that only reports need.
struct StatusLedger {
    var sent: TypeStatus.Mark?
    var acknowledged: TypeStatus.Mark?
    var rejection: Rejection?
    var counts = TypeStatus.Counts()
}
