using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Dispatch;

public sealed class RequestTableTests
{
    [Theory]
    [InlineData(Tables.Echo)]
    [InlineData(Tables.PoolEcho)]
    public void Handler_AskedForAgain_IsTheSameOne(RequestCode code)
    {
        RequestTable table = Tables.Echoing();

        Assert.Same(table.HandlerOf<TestHeader>(code), table.HandlerOf<TestHeader>(code));
    }

    [Fact]
    public void Handler_OfAnotherHeaderOrOfNoCode_IsNotGiven()
    {
        RequestTable table = Tables.Echoing();

        Assert.Throws<ArgumentException>(() => table.HandlerOf<NoHeader>(Tables.Echo));
        Assert.Throws<ArgumentException>(() => table.HandlerOf<TestHeader>(Tables.Park));
    }
}
