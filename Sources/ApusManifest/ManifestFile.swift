package import ApusCore
package import ApusModel

/// What one file says.
package struct ManifestFile: Sendable {
    /// Objects without an error, in the order written.
    package var objects: [ConfigObject] = []
    package var findings: [Finding] = []
    /// Objects that the file names but that are left out because of an error: their last good version stays in force.
    package var damaged: Set<ObjectKey> = []
    /// True if some document could not even be identified, so that any object once read from this file may be in it:
    /// those that are missing now stay in force.
    package var hasUnidentified = false

    package init() {}
}
