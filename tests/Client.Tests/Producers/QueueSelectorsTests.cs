using GrayMQ.Client.Producers;
using GrayMQ.Protocol.Bodies;

namespace GrayMQ.Client.Tests.Producers;

public class QueueSelectorsTests
{
    private static readonly MessageQueue[] Queues = [.. Enumerable.Range(0, 8).Select(id => new MessageQueue("t", "b", id))];

    // Java's hashCode of "order-1" is -1207111310; the remainder -6 counts without its sign.
    [Theory]
    [InlineData("a", 1)]
    [InlineData("order-1", 6)]
    [InlineData("order-2", 5)]
    [InlineData("", 0)]
    public void ByHash_Key_ChoosesAsJavaDoes(string key, int expected)
    {
        var message = new Message("t", "x"u8.ToArray()) { Tag = key };

        Assert.Equal(expected, QueueSelectors.ByHash(key)(Queues, message).QueueId);
        Assert.Equal(expected, QueueSelectors.ByHash(m => m.Tag!)(Queues, message).QueueId);
    }
}
