/// Codes of the findings about a proxy's own configuration file.
package enum BootstrapCode {
    /// A field that the message does not have.
    package static let unknownField = "APUS0701"
    /// A value of the wrong type or out of its range.
    package static let badValue = "APUS0702"
    /// A field or type of the public API that this proxy does not have.
    package static let unsupported = "APUS0703"
    /// Two fields of which only one may stand.
    package static let exclusive = "APUS0704"
    /// Something is missing that is needed.
    package static let missing = "APUS0705"
    /// A name that leads nowhere.
    package static let reference = "APUS0706"
    /// A resource that the proxy refuses, for what it says.
    package static let refused = "APUS0707"
    /// Accepted, though it is not how it should be written.
    package static let tolerated = "APUS0708"
    /// Accepted without effect.
    package static let noEffect = "APUS0709"
    /// A name that stands twice.
    package static let duplicate = "APUS0710"
}
