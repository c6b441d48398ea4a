internal import ApusManifest
internal import ApusModel

/// Brings back what a damaged file gave before a restart.
enum Replay {
    /// - Parameter texts: the last good text and the damaged ones since, oldest first. Each may have added objects that
    ///   the next one damaged.
    static func file(_ path: String, _ texts: [Journal.FileText]) -> ManifestFile {
        var table = ObjectTable()
        for text in texts {
            guard let text = text.text else { continue }
            _ = table.apply([(path, ManifestReader.read(file: path, text: Array(text.utf8)))])
        }
        var file = ManifestFile()
        file.objects = table.objects(of: path)
        return file
    }
}
