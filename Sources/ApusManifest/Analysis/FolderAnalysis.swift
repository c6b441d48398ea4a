package import ApusCore
package import ApusModel

/// What is wrong between objects: references to nothing, conflicts, selectors without effect.
///
/// Severities follow Istio's analysis messages. An error here does not take an object out of force: as in Istio, a
/// route to an unknown host is served and answers 503.
package struct FolderAnalysis {
    let index: FolderIndex
    let meshConfig: MeshConfig
    var findings: [Finding] = []
    /// Comparing a word with every known host is dear, so it is done for the first few unknown hosts only.
    var suggestionsLeft = 20

    /// Sorted by place, then code.
    package static func findings(objects: [ConfigObject], meshConfig: MeshConfig = MeshConfig()) -> [Finding] {
        var analysis = FolderAnalysis(index: FolderIndex(objects, meshConfig: meshConfig), meshConfig: meshConfig)
        analysis.duplicates(objects)
        analysis.virtualServices()
        analysis.destinationRules()
        analysis.gateways()
        analysis.sidecars()
        analysis.selectors()
        analysis.exports()
        analysis.slices()
        return analysis.findings.sorted {
            ($0.location, $0.code, $0.message) < ($1.location, $1.code, $1.message)
        }
    }

    mutating func report(
        _ severity: Severity, _ code: String, _ object: ConfigObject, _ path: String, _ message: String,
        hint: String? = nil
    ) {
        findings.append(
            Finding(
                severity, code, message, hint: hint, at: object.origin.location(of: path),
                object: object.key.description, field: path.isEmpty ? nil : path))
    }

    /// One object in two places: both are named, for neither can be told to be the meant one.
    private mutating func duplicates(_ objects: [ConfigObject]) {
        var places: [ObjectKey: [ConfigObject]] = [:]
        for object in objects { places[object.key, default: []].append(object) }
        for (key, all) in places where all.count > 1 {
            let places = all.map(\.origin.location).sorted().prefix(6)
            for object in all {
                let others = places.filter { $0 != object.origin.location }.prefix(5)
                findings.append(
                    Finding(
                        .error, FindingCode.duplicateObject,
                        "\(key) is also defined at \(others.map(\.description).joined(separator: ", "))",
                        hint: "remove one of them, or give it another name", at: object.origin.location,
                        object: key.description))
            }
        }
    }
}
