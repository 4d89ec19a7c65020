using GrayMQ.Client.Consumers.Popping;

namespace GrayMQ.Client.Tests.Consumers.Popping;

public class ReceiptHandleTests
{
    [Theory]
    [InlineData("orders 5 1795307931135 3000 0 0 broker-a 1 7", "orders")]
    [InlineData("orders 5 1795307931135 3000 7 1 broker-a 1 5", "%RETRY%g_orders")]
    [InlineData("orders 5 1795307931135 3000 999 2 broker-a 1 5", "%RETRY%g+orders")]
    public void Parse_ItsOwnText_IsTheSameHandle(string text, string storedIn)
    {
        ReceiptHandle handle = ReceiptHandle.Parse(text);

        Assert.Equal(text, handle.ToString());
        Assert.Equal(ReceiptHandle.Parse(text), handle);
        Assert.Equal("orders", handle.Topic);
        Assert.Equal("broker-a", handle.BrokerName);
        Assert.Equal(1, handle.QueueId);
        Assert.Equal(storedIn, handle.StoredIn("g"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("orders")]
    [InlineData("orders 5 1795307931135 3000 0 0 broker-a 1")]
    [InlineData("orders 5 1795307931135 3000 0 3 broker-a 1 7")]
    [InlineData("orders 5 1795307931135 3000 0 0  1 7")]
    [InlineData("orders 5 1795307931135 3000 0 0 broker-a 1 4")]
    [InlineData("orders 5 1795307931135 3000 0 0 broker-a -1 7")]
    [InlineData("orders 5 now 3000 0 0 broker-a 1 7")]
    [InlineData("orders 5 1795307931135 3000 0 0 broker-a 1 7 8")]
    [InlineData("ord$ers 5 1795307931135 3000 0 0 broker-a 1 7")]
    public void Parse_OtherText_IsRefused(string text) =>
        Assert.Throws<FormatException>(() => ReceiptHandle.Parse(text));

    [Fact]
    public void Parse_EndlessText_IsRefused() => Assert.Throws<FormatException>(
        () => ReceiptHandle.Parse($"orders 5 1795307931135 3000 0 0 {new string('b', 2000)} 1 7"));
}
