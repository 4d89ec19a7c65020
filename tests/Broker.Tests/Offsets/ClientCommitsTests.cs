using GrayMQ.Broker.Popping;
using GrayMQ.Broker.Topics;

namespace GrayMQ.Broker.Offsets;

/// <summary>Offsets of topics that are deleted while a client says them.</summary>
public sealed class ClientCommitsTests
{
    private const string Name = "Deleted";

    private static CommitOutcome Commit(PopParts parts, Topic found, long offset) =>
        new ClientCommits(parts.State.Topics, parts.State.Offsets).Commit(null, "G"u8, found, 0, offset, connection: null!);

    [Fact]
    public async Task Commit_OfATopicThatIsThere_Holds()
    {
        await using var parts = new PopParts();
        Topic topic = parts.CreateTopic(Name);
        Assert.Equal(CommitOutcome.Committed, Commit(parts, topic, 7));
        Assert.Equal(7, parts.State.Offsets.Find("G", Name, 0));
    }

    [Fact]
    public async Task Commit_OnItsWayWhileTheTopicIsDeleted_IsForgottenWithIt()
    {
        await using var parts = new PopParts();
        Topic found = parts.CreateTopic(Name);
        parts.DeleteTopic(Name);

        Commit(parts, found, 7);

        parts.CreateTopic(Name);
        Assert.Equal(ConsumerOffsetTable.None, parts.State.Offsets.Find("G", Name, 0));
    }

    [Fact]
    public async Task Commit_OnItsWayWhileTheTopicIsMadeAnew_IsForgotten()
    {
        await using var parts = new PopParts();
        Topic found = parts.CreateTopic(Name);
        parts.DeleteTopic(Name);
        Topic anew = parts.CreateTopic(Name);

        Commit(parts, found, 7);
        Assert.Equal(ConsumerOffsetTable.None, parts.State.Offsets.Find("G", Name, 0));

        Commit(parts, anew, 1);
        Assert.Equal(1, parts.State.Offsets.Find("G", Name, 0));
    }
}
