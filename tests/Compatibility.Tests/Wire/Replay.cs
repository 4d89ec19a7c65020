using System.Diagnostics;
using System.Globalization;
using GrayMQ.Compatibility.Tests.Servers;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>
/// Plays the client's side of a recording against the servers under test: the recorded frames, byte for byte, on as many
/// connections as the client had, each sent when everything that had been answered before it is answered. The servers' clock stands
/// where the recording's stood, so that times in requests mean what they meant.
/// </summary>
internal sealed class Replay
{
    private const int GetRoute = 105;
    private const int GetBrokerConfig = 26;
    private const int GetBrokerRuntimeInfo = 28;
    private const int ConsumerSendMessageBack = 36;
    private const int EndTransaction = 37;
    private const int SendMessageV2 = 310;
    private const int SendBatchMessage = 320;
    private const int AckMessage = 200051;
    private const int ChangeInvisibleTime = 200053;

    private readonly Recording _recording;
    private readonly TestServers _servers;
    private readonly AnswerComparison _comparison;
    private readonly Dictionary<int, WireConnection> _connections = [];
    private readonly Dictionary<(int Connection, int Opaque), RecordedFrame> _requests = [];

    // What the server under test called its own requests, by what RocketMQ had called them.
    private readonly Dictionary<(int Connection, int Opaque), int> _serverOpaques = [];
    private int _compared;

    private Replay(Recording recording, TestServers servers, bool sameStore)
    {
        _recording = recording;
        _servers = servers;
        _comparison = new AnswerComparison(servers, sameStore ? 0 : LogStart(recording), sameStore, recording.Name == "transaction");
    }

    /// <summary>Plays the recording to its end and fails when an answer differs in a way that is not in the table.</summary>
    /// <param name="recording">What to play.</param>
    /// <param name="servers">Fresh servers, or such that run on the recorded store.</param>
    /// <param name="sameStore">The broker's store is the recorded broker's.</param>
    public static async Task RunAsync(Recording recording, TestServers servers, bool sameStore = false)
    {
        var replay = new Replay(recording, servers, sameStore);
        await replay.PlayAsync();
        KnownDifferences.Check(recording.Name, replay._comparison.Mismatches);
        int answers = recording.Frames.Count(frame => !frame.FromClient);
        Assert.Equal(answers, replay._compared);
    }

    private async Task PlayAsync()
    {
        Dictionary<int, RecordedFrame> last = _recording.Frames
            .GroupBy(frame => frame.Connection).ToDictionary(frames => frames.Key, frames => frames.Last());
        try
        {
            foreach (RecordedFrame frame in _recording.Frames)
            {
                WireConnection connection = await ConnectAsync(frame);
                if (frame is { FromClient: true, Command.IsResponse: true })
                {
                    await connection.SendAsync(
                        WireFrames.WithOpaque(frame.Bytes, _serverOpaques[(frame.Connection, frame.Command.Opaque)]));
                }
                else if (frame.FromClient)
                {
                    _requests[(frame.Connection, frame.Command.Opaque)] = frame;
                    await connection.SendAsync(WithLiveIds(frame));
                    if (frame.Command.Code is GetBrokerConfig or GetBrokerRuntimeInfo)
                    {
                        await ReadUnrecordedAsync(connection, frame.Command);
                    }
                }
                else if (frame.Command.IsResponse)
                {
                    await CompareAnswerAsync(connection, frame);
                }
                else
                {
                    await CompareServerRequestAsync(connection, frame);
                }

                if (last[frame.Connection] == frame)
                {
                    await CloseAsync(frame.Connection);
                }
            }
        }
        finally
        {
            foreach (WireConnection connection in _connections.Values)
            {
                connection.Dispose();
            }
        }
    }

    // The recorded frame, but with the ids by which this broker knows what the recorded one had named otherwise.
    private byte[] WithLiveIds(RecordedFrame frame) => frame.Command.Code switch
    {
        ConsumerSendMessageBack => WireFrames.WithField(
            frame.Bytes, "offset", _comparison.LiveOffsetOfPulled(frame.Command.Fields["offset"])),
        AckMessage or ChangeInvisibleTime => WireFrames.WithField(
            frame.Bytes, "extraInfo", _comparison.Pops.Live(frame.Command.Fields["extraInfo"])),
        EndTransaction => WireFrames.WithField(
            frame.Bytes, "commitLogOffset", _comparison.LiveOffsetOfNamed(frame.Command.Fields["commitLogOffset"])),
        _ => frame.Bytes,
    };

    private async Task CompareAnswerAsync(WireConnection connection, RecordedFrame expected)
    {
        RecordedFrame request = _requests[(expected.Connection, expected.Command.Opaque)];
        WireFrame actual = await ReceiveAsync();

        // A broker tells name servers of a new topic in its own time; clients ask again until they know.
        long started = Stopwatch.GetTimestamp();
        while (request.Command.Code == GetRoute && actual.Code != expected.Command.Code
            && Stopwatch.GetElapsedTime(started) < WireConnection.Deadline)
        {
            await connection.SendAsync(request.Bytes);
            actual = await ReceiveAsync();
        }

        if (request.Command.Code == SendBatchMessage)
        {
            _comparison.AddBatch(expected.Command);
        }

        _comparison.Compare(request.Command, expected.Command, actual);
        _compared++;
        if (request.Command.Code is SendMessageV2 or SendBatchMessage && !IsHeldBack(request.Command))
        {
            await WaitUntilPullableAsync(request.Command.Fields["b"], actual);
        }

        Task<WireFrame> ReceiveAsync() => connection.ReceiveAsync(
            frame => frame.IsResponse && frame.Opaque == expected.Command.Opaque,
            string.Create(CultureInfo.InvariantCulture, $"{_recording.Name}: the answer to request {request.Command}"));
    }

    // The recording has these requests without their answers, which told of the recording machine.
    private static async Task ReadUnrecordedAsync(WireConnection connection, WireFrame request)
    {
        WireFrame answer = await connection.ReceiveAsync(
            frame => frame.IsResponse && frame.Opaque == request.Opaque, $"the answer to request {request}");
        Assert.Equal(0, answer.Code);
        Assert.NotEmpty(answer.Body);
    }

    // Delayed, or half of a transaction.
    private static bool IsHeldBack(WireFrame send) =>
        send.Fields["i"].Contains("DELAY\u0001", StringComparison.Ordinal)
        || send.Fields["i"].Contains("TIMER_", StringComparison.Ordinal)
        || send.Fields["i"].Contains("TRAN_MSG\u0001true", StringComparison.Ordinal);

    // A message stands in its queue shortly after its producer has been answered; the recorded client took longer than that to pull.
    private async Task WaitUntilPullableAsync(string topic, WireFrame answer)
    {
        long after = long.Parse(answer.Fields["queueOffset"], CultureInfo.InvariantCulture) + answer.Fields["msgId"].Split(',').Length;
        byte[] request = WireFrames.GetMaxOffset(topic, answer.Fields["queueId"]);
        using WireConnection connection = await WireConnection.OpenAsync(_servers.Broker);
        long started = Stopwatch.GetTimestamp();
        while (long.Parse((await connection.AskAsync(request)).Fields["offset"], CultureInfo.InvariantCulture) < after)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < WireConnection.Deadline, $"{topic}: what was sent does not come into its queue");
            await Task.Yield();
        }
    }

    private async Task CompareServerRequestAsync(WireConnection connection, RecordedFrame expected)
    {
        WireFrame actual = await connection.ReceiveAsync(
            frame => !frame.IsResponse && frame.Code == expected.Command.Code,
            string.Create(CultureInfo.InvariantCulture, $"{_recording.Name}: the server's request {expected.Command}"));
        _serverOpaques[(expected.Connection, expected.Command.Opaque)] = actual.Opaque;
        _comparison.Compare(null, expected.Command, actual);
        _compared++;
    }

    private async Task<WireConnection> ConnectAsync(RecordedFrame frame)
    {
        if (!_connections.TryGetValue(frame.Connection, out WireConnection? connection))
        {
            connection = await WireConnection.OpenAsync(frame.WithBroker ? _servers.Broker : _servers.NameServer);
            _connections[frame.Connection] = connection;
            _comparison.AddClient(connection.LocalEndPoint);
        }

        return connection;
    }

    private async Task CloseAsync(int number)
    {
        WireConnection connection = _connections[number];
        foreach (WireFrame surplus in await connection.DrainAsync())
        {
            _comparison.AddSurplus(surplus);
        }

        connection.Dispose();
        _connections.Remove(number);
    }

    // The recorded broker had messages already; the one under test starts with an empty log.
    private static long LogStart(Recording recording)
    {
        foreach (RecordedFrame frame in recording.Frames.Where(frame => frame is { WithBroker: true, FromClient: false }))
        {
            if (frame.Command.Fields.TryGetValue("msgId", out string? messageId))
            {
                return long.Parse(messageId.AsSpan(16, 16), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }
}
