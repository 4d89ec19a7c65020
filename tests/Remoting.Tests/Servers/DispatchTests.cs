using System.Collections.Concurrent;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Connections;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Remoting.Tests.Testing;

namespace GrayMQ.Remoting.Tests.Servers;

public class DispatchTests
{
    private const RequestCode Failing = RequestCode.UpdateAndCreateTopic;
    private const RequestCode Gather = RequestCode.SendMessageV2;

    private readonly ConcurrentQueue<Responder> _parked = new();

    private Task<TestServer> StartAsync(ConnectionOptions? options = null) =>
        TestServer.StartAsync(Tables.Parking(_parked), server => server with { Connection = options ?? ConnectionOptions.Default });

    private async Task<Responder> ParkedAsync()
    {
        Responder responder = default;
        await Eventually.TrueAsync(() => _parked.TryDequeue(out responder));
        return responder;
    }

    [Theory]
    [InlineData(SerializeType.Json)]
    [InlineData(SerializeType.RocketMq)]
    public async Task UnknownCode_IsAnsweredNotSupportedInItsOwnForm(SerializeType type)
    {
        await using TestServer server = await StartAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request((RequestCode)9999, 7, type: type));
        RemotingCommand answer = await client.ReadAnswerAsync();
        Assert.Equal((ResponseCode.RequestCodeNotSupported, 7, type), (answer.ResponseCode, answer.Opaque, answer.SerializeType));
        Assert.Contains("9999", answer.Remark, StringComparison.Ordinal);
        Assert.Equal(0, Assert.Single(server.Server.Connections).RequestsInFlight);
    }

    [Fact]
    public async Task OneWay_GetsNoAnswerWhetherHandledOrNot()
    {
        var seen = new ConcurrentQueue<int>();
        RequestTable table = Tables.Echoing().On<TestHeader>(Tables.Park, (request, header) =>
        {
            seen.Enqueue(header.Number);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(
            RawClient.Request(Tables.Park, 1, 11, oneWay: true),
            RawClient.Request(Tables.Echo, 2, oneWay: true),
            RawClient.Request((RequestCode)9999, 3, oneWay: true),
            RawClient.Request(Tables.PoolEcho, 4, oneWay: true),
            RawClient.Request(Tables.Echo, 5));
        Assert.Equal(5, (await client.ReadAnswerAsync()).Opaque);
        Assert.Equal([11], seen);
        await Eventually.TrueAsync(() => server.Server.Connections.Single().RequestsInFlight == 0);
    }

    [Fact]
    public async Task AfterBatch_OfRequestsReadTogether_RunsOnceBehindThemAndBeforeTheirAnswers()
    {
        const int Requests = 5;
        const int Rounds = 20;
        var seen = new ConcurrentQueue<string>();
        var work = new TestWork(() => seen.Enqueue("work"));
        RequestTable table = new RequestTable().On<TestHeader>(Tables.Echo, (request, header) =>
        {
            seen.Enqueue($"request {header.Number}");
            request.Connection.AfterBatch(work);
            request.Reply(ResponseCode.Success);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await server.ConnectAsync();
        byte[] together = Together(Requests);
        int readTogether = 0;
        for (int round = 0; round < Rounds; round++)
        {
            seen.Clear();
            await client.SendAsync(together);
            for (int i = 0; i < Requests; i++)
            {
                await client.ReadAnswerAsync();
                Assert.Contains("work", seen.SkipWhile(what => what != $"request {i}"));
            }

            // One write of a few hundred bytes is mostly one read, not always.
            readTogether += seen.SequenceEqual([.. Enumerable.Range(0, Requests).Select(i => $"request {i}"), "work"]) ? 1 : 0;
        }

        Assert.True(readTogether > 0);
    }

    // With others only what is left at the end of a read; what is in the way before is done at once.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AfterBatch_OfMoreAnswersThanAreGathered_RunsBeforeEachLeaves(bool withOthers)
    {
        const int Requests = 2_000;
        int handled = 0;
        int done = 0;
        var work = new TestWork(() => Volatile.Write(ref done, Volatile.Read(ref handled)), withOthers);
        await using TestServer server = await TestServer.StartAsync(ManyBytes(work, () => handled++));
        using RawClient client = await server.ConnectAsync();
        Task sending = client.SendAsync(Together(Requests));
        for (int answers = 1; answers <= Requests; answers++)
        {
            await client.ReadAnswerAsync();
            Assert.True(Volatile.Read(ref done) >= answers, $"answer {answers} left before what it says was done");
        }

        await sending;
        Assert.Equal(withOthers, work.TimesWithOthers > 0);
    }

    [Fact]
    public async Task AfterBatch_Fails_NoAnswerThatStandsOnItLeavesAndTheConnectionEnds()
    {
        const int Requests = 2_000;
        int handled = 0;
        int done = 0;
        int calls = 0;
        var work = new TestWork(() =>
        {
            if (++calls == 3)
            {
                throw new IOException("the disk is gone");
            }

            done = handled;
        });
        await using TestServer server = await TestServer.StartAsync(ManyBytes(work, () => handled++));
        using RawClient client = await server.ConnectAsync();
        Task sending = client.SendAsync(Together(Requests));
        int answers = 0;
        while (await client.ReadAsync() is not null)
        {
            answers++;
        }

        await Eventually.TrueAsync(() => !server.Server.Connections.Any());
        Assert.True(answers <= done, $"{answers} answers left, and the work of {done} requests was done");
        await Record.ExceptionAsync(() => sending);
    }

    [Fact]
    public async Task AfterBatch_DoneWithOthers_AnswersLeaveBehindItAndThoseOfOtherThreadsDoNotWait()
    {
        var work = new SharedTestWork();
        await using TestServer server = await TestServer.StartAsync(Tables.Parking(_parked).On<TestHeader>(Gather, Gathering(work)));
        using RawClient client = await server.ConnectAsync();
        using RawClient other = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Tables.Park, 1));
        Responder parked = await ParkedAsync();
        await client.SendAsync(RawClient.Request(Gather, 2));
        await other.SendAsync(RawClient.Request(Gather, 3));
        await Eventually.TrueAsync(() => work.Waiting.Count == 2);

        parked.Reply("small"u8.ToArray());
        Assert.Equal(1, (await client.ReadAnswerAsync()).Opaque);
        foreach (Action<Exception?> done in work.Waiting)
        {
            done(null);
        }

        Assert.Equal(2, (await client.ReadAnswerAsync()).Opaque);
        Assert.Equal(3, (await other.ReadAnswerAsync()).Opaque);

        // The connection goes on.
        work.Waiting.Clear();
        await client.SendAsync(RawClient.Request(Tables.Echo, 4));
        Assert.Equal(4, (await client.ReadAnswerAsync()).Opaque);
    }

    [Fact]
    public async Task AfterBatch_DoneWithOthersFails_NoAnswerLeavesAndTheConnectionEnds()
    {
        var work = new SharedTestWork();
        await using TestServer server = await TestServer.StartAsync(new RequestTable().On<TestHeader>(Gather, Gathering(work)));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Gather, 1));
        await Eventually.TrueAsync(() => work.Waiting.TryPeek(out _));
        Assert.True(work.Waiting.TryDequeue(out Action<Exception?>? done));
        done(new IOException("the disk is gone"));
        Assert.Null(await client.ReadAsync());
        await Eventually.TrueAsync(() => !server.Server.Connections.Any());
    }

    [Fact]
    public async Task AfterBatch_TheServerStopsWhileOthersAreWaitedFor_AnswersStillLeave()
    {
        var work = new SharedTestWork();
        await using TestServer server = await TestServer.StartAsync(new RequestTable().On<TestHeader>(Gather, Gathering(work)));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Gather, 1));
        await Eventually.TrueAsync(() => work.Waiting.TryPeek(out _));
        Task stopping = server.Server.StopAsync();
        Assert.True(work.Waiting.TryDequeue(out Action<Exception?>? done));
        done(null);
        Assert.Equal(1, (await client.ReadAnswerAsync()).Opaque);
        await stopping;
    }

    [Fact]
    public async Task AfterBatch_AFrameBehindIsBroken_TheWorkIsDoneAndItsAnswerLeavesBeforeTheEnd()
    {
        int done = 0;
        await using TestServer server = await TestServer.StartAsync(new RequestTable().On<TestHeader>(Gather, Gathering(new TestWork(() => done++))));
        using RawClient client = await server.ConnectAsync();
        byte[] broken = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
        await client.SendAsync([.. RawClient.Request(Gather, 1), .. broken]);
        Assert.Equal(1, (await client.ReadAnswerAsync()).Opaque);
        Assert.Null(await client.ReadAsync());
        Assert.Equal(1, done);
    }

    [Fact]
    public async Task AfterBatch_ThePeerLeavesWhileOthersAreWaitedFor_TheConnectionEnds()
    {
        var work = new SharedTestWork();
        await using TestServer server = await TestServer.StartAsync(new RequestTable().On<TestHeader>(Gather, Gathering(work)));
        using (RawClient client = await server.ConnectAsync())
        {
            await client.SendAsync(RawClient.Request(Gather, 1));
            await Eventually.TrueAsync(() => work.Waiting.TryPeek(out _));
            server.Server.Connections.Single().Abort("it has to go");
            Assert.Null(await client.ReadAsync());
        }

        Assert.True(work.Waiting.TryDequeue(out Action<Exception?>? done));
        done(null);
        await Eventually.TrueAsync(() => !server.Server.Connections.Any());
        Assert.Empty(server.Log.Errors);
    }

    [Fact]
    public async Task AfterBatch_OfAnAnswerWithABody_RunsBeforeItLeaves()
    {
        int done = 0;
        var work = new TestWork(() => Volatile.Write(ref done, done + 1));
        RequestTable table = new RequestTable().On<TestHeader>(Tables.Echo, (request, header) =>
        {
            request.Connection.AfterBatch(work);
            request.Responder.Reply(ResponseCode.Success, $"{Volatile.Read(ref done)}", in header, new MemoryBody("body"u8.ToArray()));
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await server.ConnectAsync();
        for (int i = 1; i <= 20; i++)
        {
            await client.SendAsync(RawClient.Request(Tables.Echo, i, i));
            await client.ReadAnswerAsync();
            Assert.True(Volatile.Read(ref done) >= i);
        }
    }

    [Fact]
    public async Task AfterBatch_OnAThreadThatReadsNothing_RunsAtOnce()
    {
        var seen = new ConcurrentQueue<string>();
        var work = new TestWork(() => seen.Enqueue("work"));
        RequestTable table = new RequestTable().OnPool<TestHeader>(Tables.Echo, (request, _) =>
        {
            request.Connection.AfterBatch(work);
            seen.Enqueue("behind");
            request.Reply(ResponseCode.Success);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Tables.Echo, 1));
        await client.ReadAnswerAsync();
        Assert.Equal(["work", "behind"], seen);
    }

    [Fact]
    public async Task OneWay_OfPeersThatLeaveAtOnce_IsHandled()
    {
        const int Peers = 200;
        int seen = 0;
        RequestTable table = new RequestTable().On<TestHeader>(Tables.Echo, (_, _) =>
        {
            Interlocked.Increment(ref seen);
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        byte[] request = RawClient.Request(Tables.Echo, 1, oneWay: true);
        for (int i = 0; i < Peers; i++)
        {
            using RawClient client = await server.ConnectAsync();
            await client.SendAsync(request);
        }

        await Eventually.TrueAsync(() => Volatile.Read(ref seen) == Peers, () => $"{seen} of {Peers} handled");
    }

    [Fact]
    public async Task Answers_GivenInAnyOrder_GoToTheirRequests()
    {
        await using TestServer server = await StartAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Tables.Park, 1), RawClient.Request(Tables.Park, 2), RawClient.Request(Tables.Echo, 3));
        Assert.Equal(3, (await client.ReadAnswerAsync()).Opaque);
        Responder first = await ParkedAsync();
        Responder second = await ParkedAsync();
        second.Reply(ResponseCode.PullNotFound);
        first.Reply(new TestHeader(8));
        RemotingCommand answer = await client.ReadAnswerAsync();
        Assert.Equal((ResponseCode.PullNotFound, 2), (answer.ResponseCode, answer.Opaque));
        answer = await client.ReadAnswerAsync();
        Assert.Equal((ResponseCode.Success, 1, 8), (answer.ResponseCode, answer.Opaque, answer.Fields.GetInt32("number"u8)));
    }

    [Fact]
    public async Task Requests_BeyondTheLimit_AreAnsweredBusyUntilSomeAreAnswered()
    {
        await using TestServer server = await StartAsync(new ConnectionOptions { MaxRequestsInFlight = 3 });
        using RawClient client = await server.ConnectAsync();
        for (int i = 1; i <= 4; i++)
        {
            await client.SendAsync(RawClient.Request(Tables.Park, i));
        }

        RemotingCommand busy = await client.ReadAnswerAsync();
        Assert.Equal((ResponseCode.SystemBusy, 4), (busy.ResponseCode, busy.Opaque));
        (await ParkedAsync()).Reply(ResponseCode.Success);
        Assert.Equal(1, (await client.ReadAnswerAsync()).Opaque);
        await client.SendAsync(RawClient.Request(Tables.Echo, 5));
        Assert.Equal((ResponseCode.Success, 5), ((await client.ReadAnswerAsync()) is var answer ? answer.ResponseCode : default, answer.Opaque));
    }

    [Fact]
    public async Task PoolRequests_WithTooManyBytes_AreAnsweredBusy()
    {
        using var gate = new SemaphoreSlim(0);
        RequestTable table = new RequestTable().OnPool<TestHeader>(Tables.PoolEcho, async (request, header) =>
        {
            await gate.WaitAsync();
            request.Reply(ResponseCode.Success);
        });
        await using TestServer server = await TestServer.StartAsync(
            table, options => options with { Connection = new ConnectionOptions { MaxQueuedBytes = 4_000 } });
        using RawClient client = await server.ConnectAsync();
        byte[] body = new byte[1_000];
        for (int i = 1; i <= 3; i++)
        {
            await client.SendAsync(RawClient.Request(Tables.PoolEcho, i, body: body));
        }

        RemotingCommand busy = await client.ReadAnswerAsync();
        Assert.Equal((ResponseCode.SystemBusy, 3), (busy.ResponseCode, busy.Opaque));
        gate.Release(2);
        Assert.Equal(ResponseCode.Success, (await client.ReadAnswerAsync()).ResponseCode);
        Assert.Equal(ResponseCode.Success, (await client.ReadAnswerAsync()).ResponseCode);

        // What has been carried out makes room again, at once after its answer.
        gate.Release(1);
        ResponseCode again = ResponseCode.SystemBusy;
        for (int i = 4; again == ResponseCode.SystemBusy && i < 1_000; i++)
        {
            await client.SendAsync(RawClient.Request(Tables.PoolEcho, i, body: body));
            again = (await client.ReadAnswerAsync()).ResponseCode;
        }

        Assert.Equal(ResponseCode.Success, again);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Handler_Throws_IsAnsweredAndTheConnectionGoesOn(bool pool, bool late)
    {
        async ValueTask FailAsync(RemotingRequest request, TestHeader header)
        {
            if (late)
            {
                await Task.Yield();
            }

            throw header.Number switch
            {
                1 => new RemotingException(ResponseCode.TopicNotExist, "no such topic"),
                2 => new InvalidDataException("broken"),
                _ => new HeaderFieldException("field"),
            };
        }

        RequestTable table = Tables.Echoing();
        table = pool ? table.OnPool<TestHeader>(Failing, FailAsync) : table.On<TestHeader>(Failing, FailAsync);
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await server.ConnectAsync();
        (int Number, ResponseCode Code, string Remark)[] expected =
        [
            (1, ResponseCode.TopicNotExist, "no such topic"),
            (2, ResponseCode.SystemError, "InvalidDataException: broken"),
            (3, ResponseCode.SystemError, "field"),
        ];
        foreach ((int number, ResponseCode code, string remark) in expected)
        {
            await client.SendAsync(RawClient.Request(Failing, number, number));
            RemotingCommand answer = await client.ReadAnswerAsync();
            Assert.Equal((code, number, remark), (answer.ResponseCode, answer.Opaque, answer.Remark));
        }

        Assert.IsType<InvalidDataException>(Assert.Single(server.Log.Errors));
        await Eventually.TrueAsync(() => server.Server.Connections.Single().RequestsInFlight == 0);
    }

    [Fact]
    public async Task MalformedRequests_AreAnsweredEachAndLoggedOnce()
    {
        await using TestServer server = await StartAsync();
        using RawClient client = await server.ConnectAsync();
        for (int i = 1; i <= 20; i++)
        {
            await client.SendAsync(RawClient.JsonFrame($$$"""{"code":10,"opaque":{{{i}}},"extFields":{"number":"99999999999"}}"""));
            RemotingCommand answer = await client.ReadAnswerAsync();
            Assert.Equal((ResponseCode.SystemError, i), (answer.ResponseCode, answer.Opaque));
            Assert.Contains("number", answer.Remark, StringComparison.Ordinal);
        }

        Assert.Single(server.Log.Warnings);
    }

    [Fact]
    public async Task Request_AnsweredTwice_SendsTheFirstAnswerOnly()
    {
        await using TestServer server = await StartAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Tables.Park, 1));
        Responder stale = await ParkedAsync();
        stale.Reply(new TestHeader(1));
        stale.Reply(new TestHeader(2));
        Assert.Equal(1, (await client.ReadAnswerAsync()).Fields.GetInt32("number"u8));

        // Its ticket serves another request by now.
        await client.SendAsync(RawClient.Request(Tables.Park, 2));
        Responder fresh = await ParkedAsync();
        stale.Reply(new TestHeader(3));
        fresh.Reply(new TestHeader(4));
        RemotingCommand answer = await client.ReadAnswerAsync();
        Assert.Equal((2, 4), (answer.Opaque, answer.Fields.GetInt32("number"u8)));
        Assert.Equal(0, server.Server.Connections.Single().RequestsInFlight);
        Assert.Equal(2, server.Log.Warnings.Count(line => line.Contains("answered twice", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Handler_FailsAfterItsAnswer_LeavesTheAnswerAlone()
    {
        RequestTable table = Tables.Echoing().On<TestHeader>(Failing, (request, header) =>
        {
            request.Reply(header);
            throw new InvalidDataException("too late");
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Failing, 1, 5), RawClient.Request(Tables.Echo, 2));
        Assert.Equal((1, ResponseCode.Success), ((await client.ReadAnswerAsync()) is var answer ? answer.Opaque : 0, answer.ResponseCode));
        Assert.Equal(2, (await client.ReadAnswerAsync()).Opaque);
        Assert.Equal(0, server.Server.Connections.Single().RequestsInFlight);
        Assert.IsType<InvalidDataException>(Assert.Single(server.Log.Errors));
    }

    [Fact]
    public async Task AnswerHeader_Throws_BecomesTheAnswer()
    {
        RequestTable table = Tables.Echoing().On<TestHeader>(Failing, (request, header) =>
        {
            request.Reply(new FailingHeader());
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Failing, 1), RawClient.Request(Tables.Echo, 2));
        RemotingCommand answer = await client.ReadAnswerAsync();
        Assert.Equal((ResponseCode.SystemError, "InvalidDataException: half a header"), (answer.ResponseCode, answer.Remark));
        Assert.Equal(2, (await client.ReadAnswerAsync()).Opaque);
    }

    [Theory]
    [InlineData(100, 50, true)]
    [InlineData(100, 50, false)]
    [InlineData(100, 150, false)]
    [InlineData(100_000, 70_000, true)]
    public async Task AnswerBody_NotAsAnnounced_EndsThisConnectionOnly(int announced, int written, bool throws)
    {
        RequestTable table = Tables.Echoing().On<TestHeader>(Failing, (request, header) =>
        {
            request.Responder.Reply(ResponseCode.Success, null, default(NoHeader), new LyingBody(announced, written, throws));
            return ValueTask.CompletedTask;
        });
        await using TestServer server = await TestServer.StartAsync(table);
        using RawClient other = await server.ConnectAsync();
        await other.SendAsync(RawClient.Request(Tables.Echo, 1));
        await other.ReadAnswerAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync([.. RawClient.Request(Failing, 1), .. RawClient.Request(Tables.Echo, 2)]);
        Assert.Null(await client.ReadAsync());
        await other.SendAsync(RawClient.Request(Tables.Echo, 2));
        Assert.Equal(2, (await other.ReadAnswerAsync()).Opaque);
        await Eventually.TrueAsync(() => server.Server.ConnectionCount == 1);
        Assert.Contains(server.Log.Warnings, line => line.Contains("body of an answer", StringComparison.Ordinal));
        Assert.Equal(throws ? 1 : 0, server.Log.Errors.Count);
    }

    [Fact]
    public async Task Features_SetByManyThreads_KeepEach()
    {
        await using TestServer server = await StartAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(RawClient.Request(Tables.Echo, 1));
        await client.ReadAnswerAsync();
        RemotingConnection connection = server.Server.Connections.Single();
        Type[] keys = [.. typeof(object).Assembly.GetTypes().Take(200)];
        Parallel.ForEach(keys, key => connection.Features[key] = key);
        Assert.All(keys, key => Assert.Same(key, connection.Features[key]));
        connection.Features[keys[0]] = null;
        Assert.Null(connection.Features[keys[0]]);
        Assert.Equal(keys.Length - 1, connection.Features.Count(feature => keys.Contains(feature.Key)));
    }

    private readonly struct FailingHeader : IHeaderFields
    {
        public void Write(ref HeaderWriter writer)
        {
            writer.Write("number"u8, 1L);
            throw new InvalidDataException("half a header");
        }
    }

    private readonly record struct LyingBody(int Length, int Written, bool Throws) : IBodyWriter
    {
        public void WriteTo(System.Buffers.IBufferWriter<byte> output)
        {
            for (int left = Written; left > 0;)
            {
                int some = Math.Min(left, 4_096);
                output.GetSpan(some)[..some].Fill(0x55);
                output.Advance(some);
                left -= some;
            }

            if (Throws)
            {
                throw new InvalidDataException("half a body");
            }
        }
    }

    private static byte[] Together(int requests) =>
        [.. Enumerable.Range(0, requests).SelectMany(i => RawClient.Request(Tables.Echo, i, i))];

    // Answers that together are far more than is gathered.
    private static RequestTable ManyBytes(IBatchWork work, Action handled) => new RequestTable().On<TestHeader>(Tables.Echo, (request, _) =>
    {
        handled();
        request.Connection.AfterBatch(work);
        request.Reply(ResponseCode.Success, new string('x', 1_000));
        return ValueTask.CompletedTask;
    });

    private static Func<RemotingRequest, TestHeader, ValueTask> Gathering(IBatchWork work) => (request, _) =>
    {
        request.Connection.AfterBatch(work);
        request.Reply(ResponseCode.Success);
        return ValueTask.CompletedTask;
    };
}
