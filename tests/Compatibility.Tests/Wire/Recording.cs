using System.Text.Json;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>
/// One recorded conversation of RocketMQ 5.3.3's own client with RocketMQ 5.3.3's servers, frame by frame. The recorded broker's
/// own registrations are left out (but for "register"): the broker under test makes its own, and a replayed one would put the recorded
/// broker's address into routes in its place.
/// </summary>
internal sealed class Recording
{
    private const string Registering = "register";

    /// <summary>The recorded broker's addresses.</summary>
    public const string BrokerAddress = "127.0.0.2:41911";

    public const string BrokerHaAddress = "127.0.0.1:41912";

    /// <summary>When the millisecond 0 of all recordings was.</summary>
    public static readonly DateTimeOffset Origin = DateTimeOffset.FromUnixTimeMilliseconds(1_795_293_696_240);

    private Recording(string name, IReadOnlyList<RecordedFrame> frames)
    {
        Name = name;
        Frames = frames;
    }

    public string Name { get; }

    /// <summary>In the order of the recording, but every answer after its request.</summary>
    public IReadOnlyList<RecordedFrame> Frames { get; }

    public DateTimeOffset StartedAt => Origin.AddMilliseconds(Frames[0].Ms);

    public static Recording Load(string name)
    {
        var frames = new List<RecordedFrame>();
        var early = new List<RecordedFrame>();
        var asked = new HashSet<(int Connection, int Opaque)>();
        foreach (RecordedFrame frame in Read(name))
        {
            if (!frame.Command.IsResponse || frame.FromClient)
            {
                asked.Add((frame.Connection, frame.Command.Opaque));
                frames.Add(frame);
                frames.AddRange(early.Where(answer => Answers(answer, frame)));
                early.RemoveAll(answer => Answers(answer, frame));
            }
            else if (asked.Contains((frame.Connection, frame.Command.Opaque)))
            {
                frames.Add(frame);
            }
            else
            {
                early.Add(frame); // the recorder wrote the answer down first
            }
        }

        Assert.Empty(early);
        Assert.Equal(name == Registering, frames.Any(frame => frame.Command.IsRegistration));
        return new Recording(name, frames);

        static bool Answers(RecordedFrame answer, RecordedFrame request) =>
            request.FromClient && answer.Connection == request.Connection && answer.Command.Opaque == request.Command.Opaque;
    }

    /// <summary>Some of the exchanges only: the requests that are wanted, with their answers.</summary>
    public Recording Only(string name, Func<WireFrame, bool> wanted)
    {
        HashSet<(int, int)> exchanges =
            [.. Frames.Where(frame => frame.FromClient && wanted(frame.Command)).Select(frame => (frame.Connection, frame.Command.Opaque))];
        Assert.NotEmpty(exchanges);
        return new Recording(name, [.. Frames.Where(frame => exchanges.Contains((frame.Connection, frame.Command.Opaque)))]);
    }

    private static IEnumerable<RecordedFrame> Read(string name)
    {
        using Stream stream = typeof(Recording).Assembly.GetManifestResourceStream(name + ".jsonl")
            ?? throw new FileNotFoundException($"no recording {name}");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument json = JsonDocument.Parse(line);
            JsonElement root = json.RootElement;
            byte[] bytes = root.GetProperty("frame").GetBytesFromBase64();
            yield return new RecordedFrame(
                root.GetProperty("ms").GetInt64(),
                root.GetProperty("connection").GetInt32(),
                root.GetProperty("peer").GetString() == "broker",
                root.GetProperty("from").GetString() == "client",
                bytes,
                WireFrame.Decode(bytes));
        }
    }
}

/// <param name="Ms">Since <see cref="Recording.Origin"/>.</param>
/// <param name="Connection">Numbered through all recordings.</param>
/// <param name="WithBroker">The connection's server was the broker, not the name server.</param>
/// <param name="FromClient">The frame came from the side that had opened the connection.</param>
/// <param name="Bytes">The whole frame, its length prefix included.</param>
internal sealed record RecordedFrame(long Ms, int Connection, bool WithBroker, bool FromClient, byte[] Bytes, WireFrame Command);
