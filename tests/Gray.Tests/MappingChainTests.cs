namespace GrayMQ.Gray;

public sealed class MappingChainTests
{
    private static readonly QueueMapping Two = new(6, 2);
    private static readonly QueueMapping Four = new(6, 4);

    // A normal key that is sent to queue 0: off it lies there, on with two gray queues in 1, on with four in 2.
    private static readonly MappingChain Chain = new(
    [
        Change(QueueMapping.None, Two, 10),
        Change(Two, QueueMapping.None, 20),
        Change(QueueMapping.None, Four, 30),
    ]);

    [Theory]
    [InlineData(0, 1, "0:10")]
    [InlineData(0, 0, "2:10 4:10")]
    [InlineData(1, 0, "1:20")]
    [InlineData(1, 2, "0:20 4:10")]
    [InlineData(2, 1, "0:20 2:30 4:10 5:10")]
    public void Before_AChange_AreTheQueuesOfAllChangesBeforeIt(int change, int queueId, string before) =>
        Assert.Equal(before, Text(Chain.Before(change, queueId)));

    [Fact]
    public void Before_OfAKeyThatMovedTwice_IsTheQueueBeforeTheLast() =>
        Assert.Contains(new QueueEnd(1, 20), Chain.Before(2, 2).ToArray());

    [Fact]
    public void Before_IsNeverTheQueueItself()
    {
        for (int change = 0; change < Chain.Changes.Count; change++)
        {
            for (int queueId = 0; queueId < 6; queueId++)
            {
                Assert.DoesNotContain(queueId, Chain.Before(change, queueId).ToArray().Select(end => end.QueueId));
            }
        }
    }

    [Fact]
    public void Before_OfAQueueThatWasNotThere_IsNone() => Assert.Equal("", Text(Chain.Before(0, 6)));

    private static MappingChange Change(QueueMapping before, QueueMapping after, long end) =>
        new() { Before = before, After = after, Ends = [end, end, end, end, end, end] };

    private static string Text(ReadOnlySpan<QueueEnd> ends) =>
        string.Join(' ', ends.ToArray().Select(end => $"{end.QueueId}:{end.Offset}"));
}
