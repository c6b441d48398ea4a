package import ApusCore
package import ApusManifest
package import ApusModel

/// The objects in force, file by file, with the rule of isolation: an object that its file names but cannot describe
/// keeps its last good version; everything else of the file is taken as it is.
package struct ObjectTable: Sendable {
    private struct File: Sendable {
        var objects: [ObjectKey: ConfigObject] = [:]
        /// Everything good in the file as read, duplicates included.
        var all: [ConfigObject] = []
        var findings: [Finding] = []
        /// Keys whose object in force is older than the file.
        var kept: Set<ObjectKey> = []
        var errors = 0
    }

    /// What an edit changed among the objects in force.
    package struct Edit: Sendable {
        /// New instances, by key: also of objects that only moved within their file.
        package var changed: [ConfigObject] = []
        package var removed: [ObjectKey] = []
        /// Those of `changed` that say something else than before.
        package var rewritten: [ConfigObject] = []

        package var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
        /// False if objects at most moved.
        package var changesContent: Bool { !rewritten.isEmpty || !removed.isEmpty }

        /// Some object of the kind came, went or says something else.
        func touches(_ kind: Kind) -> Bool {
            rewritten.contains { $0.key.kind == kind } || removed.contains { $0.kind == kind }
        }
    }

    private var files: [String: File] = [:]
    /// Paths that hold a key, sorted: the first is in force.
    private var owners: [ObjectKey: [String]] = [:]
    private var digest: UInt64 = 0
    /// Errors of all files, and objects that are older than their file.
    package private(set) var errorCount = 0
    package private(set) var keptCount = 0

    package init() {}

    /// Digest of all objects in force: of what they are and say, not of where they are written.
    package var version: ContentVersion { ContentVersion(digest) }

    package var fileCount: Int { files.count }
    package var objectCount: Int { owners.count }

    /// Objects in force, in no order.
    package var inForce: [ConfigObject] {
        owners.compactMap { key, paths in paths.first.flatMap { files[$0]?.objects[key] } }
    }

    /// Every good object of every file, duplicates included, by file and place: what an analysis looks at.
    package var written: [ConfigObject] {
        files.sorted { $0.key < $1.key }.flatMap(\.value.all)
    }

    package var findings: [Finding] { files.sorted { $0.key < $1.key }.flatMap(\.value.findings) }

    /// Keys in force with an older version than their file shows.
    package var kept: Set<ObjectKey> { files.values.reduce(into: []) { $0.formUnion($1.kept) } }

    package func contains(file path: String) -> Bool { files[path] != nil }

    /// What a file gives, kept objects included, by key; duplicates of other files too.
    package func objects(of path: String) -> [ConfigObject] {
        (files[path]?.objects.values).map { $0.sorted { $0.key < $1.key } } ?? []
    }

    /// Takes what each file says now (nil: the file is gone).
    ///
    /// - Parameter lastGood: what a file said when it was last without errors, asked for only when the table itself does
    ///   not know (after a restart).
    package mutating func apply(
        _ readings: [(path: String, file: ManifestFile?)], lastGood: (String) -> ManifestFile? = { _ in nil }
    ) -> Edit {
        var before: [ObjectKey: ConfigObject?] = [:]
        func remember(_ key: ObjectKey) {
            if before[key] == nil { before[key] = .some(object(key)) }
        }
        for (path, reading) in readings {
            let old = files[path]
            errorCount -= old?.errors ?? 0
            keptCount -= old?.kept.count ?? 0
            for key in (old?.objects ?? [:]).keys {
                remember(key)
                drop(key, path)
            }
            guard let reading else {
                files[path] = nil
                continue
            }
            var file = File()
            file.all = reading.objects
            file.findings = reading.findings
            file.errors = reading.findings.count { $0.severity == .error }
            for object in reading.objects where file.objects[object.key] == nil { file.objects[object.key] = object }
            let needsOlder = !reading.damaged.isEmpty || reading.hasUnidentified
            if needsOlder {
                let older =
                    old?.objects
                    ?? Dictionary(
                        (lastGood(path)?.objects ?? []).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
                for (key, object) in older
                where file.objects[key] == nil && (reading.hasUnidentified || reading.damaged.contains(key)) {
                    file.objects[key] = object
                    file.kept.insert(key)
                }
            }
            files[path] = file
            errorCount += file.errors
            keptCount += file.kept.count
            for key in file.objects.keys {
                remember(key)
                add(key, path)
            }
        }
        var edit = Edit()
        for (key, old) in before {
            let new = object(key)
            switch (old, new) {
            case (_, let new?):
                // A moved object has new positions even if it says the same: findings must point at them.
                guard old !== new else { break }
                edit.changed.append(new)
                if old?.version == new.version { break }
                edit.rewritten.append(new)
                digest = digest &- (old.map(Self.share) ?? 0) &+ Self.share(new)
            case (let old?, nil):
                edit.removed.append(key)
                digest = digest &- Self.share(old)
            case (nil, nil): break
            }
        }
        edit.changed.sort { $0.key < $1.key }
        edit.rewritten.sort { $0.key < $1.key }
        edit.removed.sort()
        return edit
    }

    package func object(_ key: ObjectKey) -> ConfigObject? {
        owners[key]?.first.flatMap { files[$0]?.objects[key] }
    }

    private static func share(_ object: ConfigObject) -> UInt64 {
        XXHash64.hash(object.key.description, seed: object.version.value)
    }

    private mutating func drop(_ key: ObjectKey, _ path: String) {
        owners[key]?.removeAll { $0 == path }
        if owners[key]?.isEmpty == true { owners[key] = nil }
    }

    private mutating func add(_ key: ObjectKey, _ path: String) {
        var paths = owners[key] ?? []
        paths.insert(path, at: paths.firstIndex { $0 > path } ?? paths.count)
        owners[key] = paths
    }
}
