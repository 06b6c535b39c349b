import ArgumentParser

@main
struct Plumbline: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plumbline",
        abstract: "Stream processing on an append-only log that anyone can replay and check.",
        version: Version.text,
        subcommands: [
            Init.self, Check.self, Explain.self, Test.self, Import.self, Run.self, Export.self,
            Tail.self, Topics.self, ReplayJournal.self, Simulate.self, ScoreAlarms.self,
            PrintSchema.self, FetchSchemas.self, Deploy.self, ArchiveTopics.self,
        ])

    static func main() {
        StandardOutput.claimDescriptors()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            Terminal.exit(with: error)
        }
    }
}
