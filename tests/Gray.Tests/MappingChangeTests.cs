namespace GrayMQ.Gray;

public sealed class MappingChangeTests
{
    private static readonly QueueMapping Six = new(6, 2);

    [Theory]
    [InlineData(0, "2 4")]
    [InlineData(5, "1 3")]
    [InlineData(1, "0")]
    [InlineData(2, "5")]
    [InlineData(3, "")]
    [InlineData(4, "")]
    public void Origins_WhenATopicIsSwitchedOn_AreTheQueuesWhoseKeysComeHere(int queueId, string origins) =>
        Assert.Equal(origins, Text(Change(QueueMapping.None, Six).OriginsOf(queueId)));

    [Theory]
    [InlineData(0, "1")]
    [InlineData(5, "2")]
    [InlineData(2, "0")]
    [InlineData(3, "5")]
    public void Origins_WhenATopicIsSwitchedOff_AreTheQueuesWhoseKeysComeBack(int queueId, string origins) =>
        Assert.Equal(origins, Text(Change(Six, QueueMapping.None).OriginsOf(queueId)));

    [Fact]
    public void Origins_OfAQueueThatWasNotThere_AreNone() => Assert.Equal("", Text(Change(QueueMapping.None, Six).OriginsOf(6)));

    private static MappingChange Change(QueueMapping before, QueueMapping after) =>
        new() { Before = before, After = after, Ends = [10, 11, 12, 13, 14, 15] };

    private static string Text(ReadOnlySpan<int> origins) => string.Join(' ', origins.ToArray());
}
