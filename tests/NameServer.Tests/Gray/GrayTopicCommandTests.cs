using GrayMQ.Gray;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.NameServer.Tests.Gray;

public sealed class GrayTopicCommandTests
{
    [Fact]
    public async Task Topic_SwitchedOn_GoesLiveWhenAllItsBrokersHaveAcknowledged()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await WireBroker.StartAsync("a");
        await using WireBroker b = await WireBroker.StartAsync("b");
        await a.RegisterAsync(server, 6, "T", "U");
        await b.RegisterAsync(server, 6, "T", "U");
        await a.AskAsync(server);
        await b.AskAsync(server);

        await server.ChangeSuccessfullyAsync(Enable("T"));

        GrayTopic enabling = Assert.Single((await server.SnapshotAsync())!.Topics);
        Assert.Equal((6, 2, GrayTopicState.Enabling, "ann@host"), (enabling.Queues, enabling.Size, enabling.State, enabling.ChangedBy));
        await a.ReportAsync(server);
        Assert.Equal(GrayTopicState.Enabling, (await server.SnapshotAsync())!.Topics[0].State);
        GrayStatusOfChange change = Assert.Single((await server.StatusAsync()).Changes);
        Assert.Equal([true, false], change.Parts.Select(part => part.Done));
        Assert.NotNull(change.Parts[1].Reason);
        await b.ReportAsync(server);
        Assert.Equal(GrayTopicState.On, (await server.SnapshotAsync())!.Topics[0].State);
        Assert.Empty((await server.StatusAsync()).Changes);
    }

    [Fact]
    public async Task Topic_SwitchedOff_IsForgottenWhenItsBrokersHaveHandedItsQueuesOver()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await StartOnAsync(server);

        await server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.DisableTopic, Topic = "T" });

        Assert.Equal(GrayTopicState.Off, Assert.Single((await server.SnapshotAsync())!.Topics).State);
        await server.RefusesAsync(new GrayCommand { Action = GrayAction.DisableTopic, Topic = "T" }, "being switched off already");
        await server.RefusesAsync(Enable("T"), "being switched off: wait");

        // That it acts on the version is not enough.
        await a.ReportAsync(server, done: false);
        await server.RefusesAsync(Enable("T"), "being switched off: wait");
        Assert.Equal("2 queues are handed over still", Assert.Single(Assert.Single((await server.StatusAsync()).Changes).Parts).Reason);
        await a.ReportAsync(server);
        Assert.Empty((await server.SnapshotAsync())!.Topics);
        Assert.Equal(
            ["topic T is off", "topic T is being switched off", "topic T is on", "topic T is being switched on with 2 gray of 6 queues at a"],
            (await server.HistoryAsync("T")).Select(entry => entry.Summary));
    }

    [Fact]
    public async Task History_TellsWhoFromWhereWhatAndWhen()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await StartOnAsync(server);

        GrayHistoryEntry begun = (await server.HistoryAsync())[^1];

        Assert.Equal(("ann@host", "T", 1L), (begun.Operator, begun.Subject, begun.Version));
        Assert.StartsWith("127.0.0.1:", begun.From, StringComparison.Ordinal);
        Assert.Equal(server.Time.GetUtcNow().ToUnixTimeMilliseconds(), begun.At);
        Assert.Contains("\"action\":\"ENABLE_TOPIC\"", begun.Command, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topic_ThatCannotBeGray_IsRefused()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await WireBroker.StartAsync("a");
        await using WireBroker b = await WireBroker.StartAsync("b");
        await a.RegisterAsync(server, 6, "T", "U", "%RETRY%G", "%DLQ%G", "SCHEDULE_TOPIC_XXXX", "a");
        await b.RegisterAsync(server, 8, "U", "V");

        await server.RefusesAsync(Enable("T"), "broker a has never asked for the gray state");
        await a.AskAsync(server);
        await b.AskAsync(server);
        await server.RefusesAsync(Enable("nothing"), "topic nothing does not exist", ResponseCode.TopicNotExist);
        await server.RefusesAsync(Enable("U"), "has not the same number of queues everywhere (a: 6 read");
        await server.RefusesAsync(Enable("T") with { Size = 6 }, "6");
        await server.RefusesAsync(Enable("T") with { Size = 0 }, "0");
        foreach (string reserved in (string[])["%RETRY%G", "%DLQ%G", "SCHEDULE_TOPIC_XXXX", "rmq_sys_x", "C_REPLY_TOPIC", "a", "C"])
        {
            await server.RefusesAsync(Enable(reserved), "cannot be gray");
        }

        await server.RefusesAsync(Enable("a b"), "a b", ResponseCode.InvalidParameter);
        await server.RefusesAsync(new GrayCommand(), "no action", ResponseCode.InvalidParameter);
        await server.RefusesAsync(new GrayCommand { Action = GrayAction.DisableTopic, Topic = "T" }, "is not gray");
        Assert.Empty((await server.SnapshotAsync())!.Topics);
        Assert.Empty(await server.HistoryAsync());
    }

    [Fact]
    public async Task Topic_WhoseQueueCountChanges_IsWarnedOfAndRefused()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await StartOnAsync(server);

        await server.RefusesAsync(Enable("T"), "is on already");
        await server.RefusesAsync(Enable("T") with { Size = 3 }, "switch it off before it is given 3 of 6");
        TopicConfigAndMappingSerializeWrapper grown = TestNameServer.Topics("T", "U");
        grown.DataVersion = grown.DataVersion.Next(nowMs: 5);
        await server.RegisterSuccessfullyAsync("a", grown);

        Assert.Contains("broker a has 8 queues of topic T, the gray state says 6", Assert.Single((await server.StatusAsync()).Warnings), StringComparison.Ordinal);
        Assert.Equal(6, (await server.SnapshotAsync())!.Topics[0].Queues);
    }

    [Fact]
    public async Task SwitchingOn_ThatDoesNotEnd_CanBeTakenBackOrForced()
    {
        await using TestNameServer server = await TestNameServer.StartAsync();
        await using WireBroker a = await WireBroker.StartAsync("a");
        await a.RegisterAsync(server, 6, "T", "U");
        await a.AskAsync(server);
        await server.ChangeSuccessfullyAsync(Enable("T"));
        await server.RefusesAsync(Enable("T"), "being switched on already");
        await server.RefusesAsync(new GrayCommand { Action = GrayAction.DisableTopic, Topic = "T" }, "being switched on: wait, or cancel");

        await server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.Cancel, Topic = "T" });
        Assert.Empty((await server.SnapshotAsync())!.Topics);
        await server.RefusesAsync(new GrayCommand { Action = GrayAction.Cancel, Topic = "T" }, "nothing is under way");
        await server.RefusesAsync(new GrayCommand { Action = GrayAction.Force, Topic = "T" }, "nothing is under way");

        await server.ChangeSuccessfullyAsync(Enable("T"));
        Assert.Equal("topic T is on without a", await server.ChangeSuccessfullyAsync(new GrayCommand { Action = GrayAction.Force, Topic = "T" }));
        Assert.Equal(GrayTopicState.On, (await server.SnapshotAsync())!.Topics[0].State);
    }

    internal static GrayCommand Enable(string topic) => new() { Action = GrayAction.EnableTopic, Topic = topic };

    private static async Task<WireBroker> StartOnAsync(TestNameServer server)
    {
        WireBroker a = await WireBroker.StartAsync("a");
        await a.RegisterAsync(server, 6, "T", "U");
        await a.AskAsync(server);
        await server.ChangeSuccessfullyAsync(Enable("T"));
        await a.ReportAsync(server);
        Assert.Equal(GrayTopicState.On, (await server.SnapshotAsync())!.Topics[0].State);
        return a;
    }
}
