/// Which names below a watched folder are manifests.
package enum ManifestPath {
    /// `*.yaml`, `*.yml`, `*.json` (any case); not dot files, editor locks (`.#x`, `#x#`) or backups (`x~`, `x.yaml.bak`).
    package static func isManifest(_ name: some StringProtocol) -> Bool {
        guard !isHidden(name), !name.hasSuffix("~"), name.utf8.first != UInt8(ascii: "#") else {
            return false
        }
        let lower = name.lowercased()
        return lower.hasSuffix(".yaml") || lower.hasSuffix(".yml") || lower.hasSuffix(".json")
    }

    /// Dot files and dot folders, `..data` of a mounted ConfigMap among them: its files are reached through links.
    package static func isHidden(_ name: some StringProtocol) -> Bool {
        name.utf8.first == UInt8(ascii: ".")
    }

    package static func join(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }
}
