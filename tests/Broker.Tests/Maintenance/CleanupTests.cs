using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Maintenance;

public class CleanupTests
{
    [Theory]
    [InlineData(RequestCode.CleanExpiredConsumeQueue)]
    [InlineData(RequestCode.CleanUnusedTopic)]
    [InlineData(RequestCode.DeleteExpiredCommitLog)]
    public async Task Cleanup_NothingExpired_KeepsTheMessages(RequestCode code)
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c");
        await RunningBroker.SendAsync(peer, "T", 0, "body");

        RemotingCommand reply = await peer.AskAsync(code, default(NoHeader));

        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
        RemotingCommand pulled = await peer.AskAsync(RequestCode.PullMessage, new PullMessageHeader
        {
            ConsumerGroup = "G"u8.ToArray(),
            Topic = "T"u8.ToArray(),
            MaxMessages = 1,
            SysFlag = PullSysFlag.Subscription | PullSysFlag.Suspend,
            SuspendTimeoutMs = 15_000,
            Subscription = "*"u8.ToArray(),
        });
        Assert.Equal(ResponseCode.Success, pulled.ResponseCode);
    }
}
