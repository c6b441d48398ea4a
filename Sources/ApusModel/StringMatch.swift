/// Istio's `StringMatch`. `nil` fields in a match mean "not asked".
package enum StringMatch: Hashable, Sendable {
    case exact(String)
    case prefix(String)
    case regex(String)
    /// `{}`: the value only has to be present.
    case present
}
