using System.CommandLine;
using System.Globalization;
using System.Net;
using GrayMQ.Load;
using GrayMQ.Protocol.Commands;

var broker = new Option<string>("--broker") { Description = "Address of a broker: any that speaks RocketMQ's protocol", DefaultValueFactory = _ => "127.0.0.1:10911" };
var topic = new Option<string>("--topic") { DefaultValueFactory = _ => "Load" };
var queues = new Option<int>("--queues") { DefaultValueFactory = _ => 4 };
var connections = new Option<int>("--connections") { DefaultValueFactory = _ => 64 };
var inFlight = new Option<int>("--in-flight") { Description = "Requests in flight on each connection", DefaultValueFactory = _ => 1 };
var size = new Option<int>("--size") { Description = "Bytes of a body", DefaultValueFactory = _ => 1024 };
var batch = new Option<int>("--batch") { Description = "Messages that a pull asks for", DefaultValueFactory = _ => 32 };
var seconds = new Option<double>("--seconds") { DefaultValueFactory = _ => 10 };
var warmUp = new Option<double>("--warm-up") { Description = "Seconds before measuring", DefaultValueFactory = _ => 3 };
var binary = new Option<bool>("--binary") { Description = "Binary headers instead of JSON" };
var httpPort = new Option<int?>("--http-port") { Description = "Where the broker tells its metrics" };
var echoPort = new Option<int>("--echo-port") { DefaultValueFactory = _ => 10999 };
var directory = new Option<string>("--directory") { Description = "Where to write", DefaultValueFactory = _ => "." };
var blockBytes = new Option<int>("--block") { Description = "Bytes of a write", DefaultValueFactory = _ => 4096 };
var timerSize = new Option<int>("--size") { Description = "Bytes of a body", DefaultValueFactory = _ => 256 };
var pending = new Option<long>("--pending") { Description = "Messages that are due some day", DefaultValueFactory = _ => 10_000_000 };
var due = new Option<long>("--due") { Description = "Messages that are due within one second", DefaultValueFactory = _ => 100_000 };
var replyBytes = new Option<int>("--reply-bytes") { Description = "Bytes of an answer", DefaultValueFactory = _ => 300 };

var singleAcks = new Option<bool>("--single-acks") { Description = "Each message is acked by a request of its own" };
var neverAcked = new Option<int>("--never-acked") { Description = "Popped messages of a hundred that are never acked" };
var invisible = new Option<double>("--invisible") { Description = "Seconds that popped messages are invisible", DefaultValueFactory = _ => 60 };
var brokerName = new Option<string>("--broker-name") { DefaultValueFactory = _ => "broker-a" };

var without = new Option<string?>("--without") { Description = "Address of the same broker with filterIndex=off, to be measured turn about" };
var groups = new Option<int>("--groups") { Description = "Consumer groups, each with one condition", DefaultValueFactory = _ => 1000 };
var filterRate = new Option<int>("--rate") { Description = "Messages sent in a second", DefaultValueFactory = _ => 3000 };
var filterWarmUp = new Option<double>("--warm-up")
{
    // Longer than a pull waits: the first ones began to wait before the index was there.
    Description = "Seconds before measuring",
    DefaultValueFactory = _ => 20,
};
var buyers = new Option<int>("--buyers") { Description = "Different buyers: the fewer, the more groups a message matches", DefaultValueFactory = _ => 1000 };

var grayRounds = new Option<int>("--rounds") { Description = "Times that each run is made at either broker", DefaultValueFactory = _ => 3 };
var echoRounds = new Option<int>("--rounds") { Description = "Times that sends and echo are measured, turn about", DefaultValueFactory = _ => 3 };
var plain = new Option<string>("--without") { Description = "Address of a broker that knows nothing of gray, to be measured turn about", Required = true };

var grpcPort = new Option<int>("--grpc-port") { Description = "Where the broker answers gRPC", DefaultValueFactory = _ => 8081 };
var clients = new Option<int>("--clients") { Description = "Clients that do nothing", DefaultValueFactory = _ => 10_000 };
var count = new Option<int>("--count") { Description = "Connections", DefaultValueFactory = _ => 1_000_000 };
var rate = new Option<int>("--rate") { Description = "Messages sent in a second", DefaultValueFactory = _ => 1000 };
var healthy = new Option<double>("--healthy") { Description = "Seconds before a consumer hangs, and after", DefaultValueFactory = _ => 10 };
var hung = new Option<double>("--hung") { Description = "Seconds that it hangs", DefaultValueFactory = _ => 20 };
var output = new Option<string>("--output") { Description = "Path of the files, without .csv and .svg", DefaultValueFactory = _ => "hang" };

LoadOptions Read(ParseResult parsed)
{
    IPEndPoint address = IPEndPoint.Parse(parsed.GetRequiredValue(broker));
    return new LoadOptions
    {
        Broker = address,
        Topic = parsed.GetValue(topic) ?? "Load",
        Queues = parsed.GetValue(queues),
        Connections = parsed.GetValue(connections),
        InFlight = parsed.GetValue(inFlight),
        BodyBytes = parsed.GetValue(size),
        Batch = parsed.GetValue(batch),
        BrokerName = parsed.GetValue(brokerName) ?? "broker-a",
        NeverAckedPercent = parsed.GetValue(neverAcked),
        Invisible = TimeSpan.FromSeconds(parsed.GetValue(invisible)),
        Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
        WarmUp = TimeSpan.FromSeconds(parsed.GetValue(warmUp)),
        SerializeType = parsed.GetValue(binary) ? SerializeType.RocketMq : SerializeType.Json,
        HttpPort = parsed.GetValue(httpPort),
        GrpcPort = parsed.GetValue(grpcPort),
        ProcessId = ProcessUsage.FindListener(address.Port),
    };
}

async Task HangAsync(ParseResult parsed, CancellationToken cancel)
{
    TimeSpan from = TimeSpan.FromSeconds(parsed.GetValue(healthy));
    TimeSpan time = TimeSpan.FromSeconds(parsed.GetValue(hung));
    IReadOnlyList<HangSample> samples = await new Hang(Read(parsed), parsed.GetValue(rate), from, time, after: from).RunAsync(cancel);
    string path = parsed.GetRequiredValue(output);
    await File.WriteAllTextAsync(path + ".csv", HangSample.ToCsv(samples), cancel);
    await File.WriteAllTextAsync(path + ".svg", HangSample.ToSvg(samples, from.TotalSeconds, (from + time).TotalSeconds), cancel);
    foreach (IGrouping<string, HangSample> way in samples.GroupBy(sample => sample.Way))
    {
        long most = way.GroupBy(sample => sample.Seconds).Max(moment => moment.Sum(sample => sample.Backlog));
        Console.WriteLine($"{way.Key}: at most {most} messages waiting, {way.Last().Again} came again");
    }
}

async Task FiltersAsync(ParseResult parsed, CancellationToken cancel)
{
    LoadOptions with = Read(parsed) with { WarmUp = TimeSpan.FromSeconds(parsed.GetValue(filterWarmUp)) };
    async Task<FilterResult> RunAsync(string name, LoadOptions options)
    {
        var run = new FilterRun(options, parsed.GetValue(groups), parsed.GetValue(filterRate), parsed.GetValue(buyers));
        FilterResult result = await run.RunAsync(name, cancel);
        Console.WriteLine(result);
        return result;
    }

    FilterResult on = await RunAsync("filterIndex=on", with);
    if (parsed.GetValue(without) is { } address)
    {
        IPEndPoint other = IPEndPoint.Parse(address);
        FilterResult off = await RunAsync("filterIndex=off", with with { Broker = other, ProcessId = ProcessUsage.FindListener(other.Port) });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"CPU of off / on {off.CpuMicroseconds / on.CpuMicroseconds:F1}"));
    }
}

Task GrayAsync(ParseResult parsed, CancellationToken cancel)
{
    LoadOptions with = Read(parsed);
    IPEndPoint other = IPEndPoint.Parse(parsed.GetRequiredValue(plain));
    LoadOptions without = with with { Broker = other, ProcessId = ProcessUsage.FindListener(other.Port) };
    return new GrayCost(with, without, parsed.GetValue(grayRounds)).RunAsync(cancel);
}

Command Build(string name, string description, Func<ParseResult, CancellationToken, Task> run, params Option[] options)
{
    var command = new Command(name, description);
    foreach (Option option in options)
    {
        command.Options.Add(option);
    }

    command.SetAction(run);
    return command;
}

async Task Print(Task<LoadResult> run)
{
    Console.WriteLine(LoadResult.Head);
    Console.WriteLine(await run);
}

Option[] common = [broker, topic, queues, connections, inFlight, seconds, warmUp, binary, httpPort];
var root = new RootCommand("A load for any RocketMQ broker, and the echo that it is measured against")
{
    Build("send", "Sends messages", (parsed, cancel) => Print(Scenarios.SendAsync("send", Read(parsed), cancel)), [.. common, size]),
    Build("pull", "Pulls what was sent", (parsed, cancel) => Print(Scenarios.PullAsync("pull", Read(parsed), cancel)), [.. common, batch]),
    Build("pop", "Pops what was sent, and acks it",
        (parsed, cancel) => Print(Scenarios.PopAsync("pop", Read(parsed), parsed.GetValue(singleAcks) ? PopAcks.Single : PopAcks.Batch, cancel)),
        [.. common, batch, singleAcks, neverAcked, invisible, brokerName]),
    Build("compare-pop", "Pops beside pulls and echo in one run",
        (parsed, cancel) => Scenarios.ComparePopsAsync(Read(parsed), parsed.GetValue(echoPort), cancel),
        broker, topic, queues, size, batch, seconds, warmUp, binary, httpPort, echoPort, invisible, brokerName),
    Build("compare-grpc", "gRPC beside the remoting protocol in one run: sends, and receives with acks",
        (parsed, cancel) => Scenarios.CompareGrpcAsync(Read(parsed), cancel),
        broker, grpcPort, topic, queues, size, batch, seconds, warmUp, binary, httpPort, invisible, brokerName),
    Build("grpc-idle", "Clients with a telemetry stream each that do nothing: what they cost in memory",
        (parsed, cancel) => GrpcIdle.RunAsync(Read(parsed), parsed.GetValue(clients), cancel), broker, grpcPort, topic, clients),
    Build("connections", "Connections opened and left one after the other, most of them with something that is no request: memory and open sockets",
        (parsed, cancel) => new AbandonedConnections(Read(parsed), parsed.GetValue(count)).RunAsync(cancel), broker, topic, count),
    Build("timers", "Delivers messages that are due within one second, with many others pending",
        (parsed, cancel) => new TimerRun(
            Read(parsed) with { BodyBytes = parsed.GetValue(timerSize) }, parsed.GetValue(pending), parsed.GetValue(due)).RunAsync(cancel),
        broker, topic, queues, connections, inFlight, binary, timerSize, pending, due),
    Build("hang", "One consumer of three hangs: backlog of each queue over time, for pull and for pop, as CSV and SVG", HangAsync,
        broker, queues, size, batch, invisible, brokerName, rate, healthy, hung, output),
    Build("filters", "Many groups with conditions of their own wait for messages that come at a steady rate", FiltersAsync,
        broker, topic, queues, size, batch, seconds, filterWarmUp, filterRate, groups, buyers, without),
    Build("gray", "Sends, pulls and pops that have no part in a gray release, beside the same without any", GrayAsync,
        broker, topic, queues, size, batch, seconds, warmUp, invisible, brokerName, grayRounds, plain),
    Build("echo-server", "Answers frames with frames, over the broker's transport",
        (parsed, cancel) => EchoServer.RunAsync(parsed.GetValue(echoPort), parsed.GetValue(replyBytes), cancel), echoPort, replyBytes),
    Build("disk", "Writes and flushes blocks: how often the disk makes something durable",
        (parsed, cancel) => Task.Run(
            () => DiskFlush.Run(
                parsed.GetRequiredValue(directory), parsed.GetValue(blockBytes), TimeSpan.FromSeconds(parsed.GetValue(seconds))),
            cancel),
        directory, blockBytes, seconds),
    Build("compare", "Broker and echo in one run: sends in both forms, and pulls",
        (parsed, cancel) => Scenarios.CompareAsync(Read(parsed), parsed.GetValue(echoPort), Math.Max(1, parsed.GetValue(echoRounds)), cancel),
        broker, topic, queues, size, batch, seconds, warmUp, binary, httpPort, echoPort, echoRounds),
};
return await root.Parse(args).InvokeAsync();
