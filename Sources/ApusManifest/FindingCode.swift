/// Codes of the findings about manifests; those of the YAML text itself are in `YAMLCode`.
///
/// A code that begins with IST has the meaning Istio gives it in its analysis messages.
package enum FindingCode {
    // Istio's.
    package static let referenceNotFound = "IST0101"
    package static let schemaError = "IST0106"
    package static let conflictingVirtualServiceHosts = "IST0109"
    package static let conflictingSidecarSelectors = "IST0110"
    package static let multipleSidecarsWithoutSelector = "IST0111"
    package static let destinationPortRequired = "IST0112"
    package static let portNaming = "IST0118"
    package static let invalidRegex = "IST0122"
    package static let invalidAnnotation = "IST0125"
    package static let noMatchingWorkloads = "IST0127"
    package static let unreachableRule = "IST0130"
    package static let ineffectiveMatch = "IST0131"
    package static let hostNotInGateway = "IST0132"
    package static let schemaWarning = "IST0133"
    package static let addressesRequired = "IST0134"
    package static let conflictingGateways = "IST0145"
    package static let relativeOperation = "IST0151"
    package static let replaceOperation = "IST0152"
    package static let addOperation = "IST0153"
    package static let removeOperation = "IST0154"
    package static let deprecated = "IST0002"

    // Apus's own.
    /// A document that does not say what it is.
    package static let unidentified = "APUS0010"
    /// A kind that Apus does not read.
    package static let unknownKind = "APUS0011"
    /// A version that is not served for the kind.
    package static let unservedVersion = "APUS0012"
    /// A field that the kind does not have.
    package static let unknownField = "APUS0013"
    /// One object in two places.
    package static let duplicateObject = "APUS0014"
    /// Two DestinationRules of which one part is not used.
    package static let conflictingDestinationRules = "APUS0015"
    /// A destination whose service does not have the port.
    package static let missingPort = "APUS0016"
    /// A policy that acts more widely than its words suggest.
    package static let widePolicy = "APUS0017"
    /// Traffic that leaves the mesh through an annotation.
    package static let meshBypass = "APUS0018"
    /// A subset whose labels no endpoint of the host has.
    package static let emptySubset = "APUS0019"
    /// Understood, but without effect in this version.
    package static let notEnforced = "APUS0900"
}
