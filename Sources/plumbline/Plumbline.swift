import ArgumentParser

@main
struct Plumbline: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plumbline",
        abstract: "Stream processing on an append-only log that anyone can replay and check.",
        subcommands: [
            Check.self, Test.self, Import.self, Run.self, Export.self, ReplayJournal.self,
            Topics.self, Simulate.self, ScoreAlarms.self,
        ])
}
