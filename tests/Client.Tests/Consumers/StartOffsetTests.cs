using GrayMQ.Client.Consumers;
using GrayMQ.Client.Consumers.Offsets;
using GrayMQ.Client.Errors;
using GrayMQ.Client.Producers;
using GrayMQ.Client.Sessions;
using GrayMQ.Client.Tests.Servers;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Client.Tests.Consumers;

public sealed class StartOffsetTests : IAsyncLifetime
{
    private const long MaxOffset = 900;
    private const long OffsetAtTime = 400;
    private const string Retry = "%RETRY%g";

    private static readonly DateTimeOffset From = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    private ScriptedNameServer _nameServer = null!;
    private ScriptedBroker _broker = null!;
    private ClientSession _session = null!;
    private ResponseCode _stored = ResponseCode.QueryNotFound;
    private long _searchedMs;

    public async ValueTask InitializeAsync()
    {
        _nameServer = await ScriptedNameServer.StartAsync();
        _broker = await ScriptedBroker.StartAsync("b", more: (_, requests) => requests
            .On<QueryConsumerOffsetHeader>(RequestCode.QueryConsumerOffset, Answer)
            .On<QueueHeader>(RequestCode.GetMaxOffset, (request, _) => Answer(request, MaxOffset))
            .On<SearchOffsetHeader>(RequestCode.SearchOffsetByTimestamp, (request, header) =>
            {
                _searchedMs = header.TimestampMs;
                return Answer(request, OffsetAtTime);
            }));
        _nameServer.With("t", 1, _broker).With(Retry, 1, _broker);
        _session = new ClientSession(
            new ProducerOptions { NameServers = _nameServer.Address },
            "id",
            new RequestTable(),
            NullLoggerFactory.Instance,
            TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        await _broker.DisposeAsync();
        await _nameServer.DisposeAsync();
    }

    // RocketMQ: RebalancePushImpl.computePullFromWhereWithException.
    [Theory]
    [InlineData(ConsumeFrom.Last, "t", MaxOffset)]
    [InlineData(ConsumeFrom.First, "t", 0)]
    [InlineData(ConsumeFrom.Timestamp, "t", OffsetAtTime)]
    [InlineData(ConsumeFrom.Last, Retry, 0)]
    [InlineData(ConsumeFrom.First, Retry, 0)]
    [InlineData(ConsumeFrom.Timestamp, Retry, MaxOffset)]
    public async Task FindAsync_NothingStored_FollowsTheOption(ConsumeFrom from, string topic, long expected)
    {
        Assert.Equal(expected, await Create(from).FindAsync(new MessageQueue(topic, "b", 0), default));
        Assert.Equal(expected == OffsetAtTime ? From.ToUnixTimeMilliseconds() : 0, _searchedMs);
    }

    [Theory]
    [InlineData(ConsumeFrom.Last)]
    [InlineData(ConsumeFrom.First)]
    [InlineData(ConsumeFrom.Timestamp)]
    public async Task FindAsync_OffsetIsStored_TakesIt(ConsumeFrom from)
    {
        _stored = ResponseCode.Success;

        Assert.Equal(77, await Create(from).FindAsync(new MessageQueue("t", "b", 0), default));
    }

    [Fact]
    public async Task FindAsync_BrokerDoesNotSay_Throws()
    {
        _stored = ResponseCode.SystemError;

        await Assert.ThrowsAsync<BrokerException>(() => Create(ConsumeFrom.First).FindAsync(new MessageQueue("t", "b", 0), default));
    }

    private static ValueTask Answer(RemotingRequest request, long offset)
    {
        request.Reply(new OffsetResponseHeader(offset));
        return ValueTask.CompletedTask;
    }

    private ValueTask Answer(RemotingRequest request, QueryConsumerOffsetHeader header)
    {
        if (_stored == ResponseCode.Success)
        {
            return Answer(request, 77);
        }

        request.Reply(_stored, "scripted");
        return ValueTask.CompletedTask;
    }

    private StartOffset Create(ConsumeFrom from) =>
        new(new BrokerOffsetStore(_session, "g", NullLogger.Instance), new QueueOffsets(_session), from, From);
}
