using GrayMQ.Broker.Serving;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Store.Pops;

namespace GrayMQ.Broker.Popping;

/// <summary>Topics and groups that are deleted while somebody pops them: what is made anew begins anew.</summary>
public sealed class PopDeletionTests
{
    private const string Name = "Deleted";
    private const string Group = "GP";

    [Fact]
    public async Task Pop_OnItsWayWhileTheTopicIsMadeAnew_TakesNothingAndBringsNothingBack()
    {
        await using var parts = new PopParts();
        parts.CreateGroup(Group);
        Topic topic = parts.CreateTopic(Name);
        await parts.StoreAsync(topic, "a", "b", "c");
        Pop pop = parts.Pop(topic, Group);
        Assert.Equal(["a", "b", "c"], parts.Take(in pop));

        parts.DeleteTopic(Name);
        Assert.Empty(parts.Take(in pop));
        Topic anew = parts.CreateTopic(Name);
        await parts.StoreAsync(anew, "x", "y");
        Assert.Empty(parts.Take(in pop));

        Assert.Equal(["x", "y"], parts.Take(parts.Pop(anew, Group)));
    }

    [Fact]
    public async Task Pop_OnItsWayBetweenTheEndOfTheGroupAndOfItsOffsets_KeepsNoneOfThem()
    {
        await using var parts = new PopParts();
        parts.CreateGroup(Group);
        Topic topic = parts.CreateTopic(Name);
        await parts.StoreAsync(topic, "a", "b");
        Pop pop = parts.Pop(topic, Group);
        Assert.Equal(["a", "b"], parts.Take(in pop));

        await parts.StoreAsync(topic, "c");
        parts.State.Groups.Delete(Group);
        Assert.Empty(parts.Take(in pop));
        parts.State.Offsets.RemoveGroup(Group);
        parts.CreateGroup(Group);

        Assert.Equal(["a", "b", "c"], parts.Take(parts.Pop(topic, Group)));
    }

    [Fact]
    public async Task Queue_OfATopicThatIsGone_IsDroppedHoweverLateItIsMade()
    {
        await using var parts = new PopParts();
        PopStore pops = parts.State.Pops.CheckPoints;
        PoppedTopic held = pops.Topics.Get("G"u8, "T"u8);
        PopQueue early = held.GetQueue(0);
        pops.RemoveTopic("T");

        Assert.True(early.IsDropped);
        Assert.True(held.GetQueue(1).IsDropped);
        Assert.NotSame(held, pops.Topics.Get("G"u8, "T"u8));
    }

    [Fact]
    public async Task Start_AfterTheTopicEndedWithoutItsPops_ForgetsThem()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync();
        Peer peer = broker.Connect("c1");
        for (int i = 0; i < 3; i++)
        {
            await RunningBroker.SendAsync(peer, Name, 0, $"old{i}");
        }

        await peer.DispatchedAsync(Name, 3);
        await peer.TakeAsync(Pops.Header(Name, 0), 3);

        // The process ended between the end of the topic and that of what was in hand: the one database is from before.
        string state = Path.Combine(broker.StorePath, "state");
        string before = Directory.CreateTempSubdirectory("graymq-state-").FullName;
        await broker.StopAllAsync();
        CopyFiles(state, before);
        await broker.StartAgainAsync();
        peer = broker.Connect("c1");
        await peer.AskAsync(RequestCode.DeleteTopicInBroker, new TopicHeader { Topic = Name });
        await broker.StopAllAsync();
        Directory.Delete(state, recursive: true);
        CopyFiles(before, state);
        Directory.Delete(before, recursive: true);
        await broker.StartAgainAsync();
        peer = broker.Connect("c1");

        for (int i = 0; i < 5; i++)
        {
            await RunningBroker.SendAsync(peer, Name, 0, $"new{i}");
        }

        await peer.DispatchedAsync(Name, 5);
        Assert.Equal(["new0", "new1", "new2", "new3", "new4"], (await peer.TakeAsync(Pops.Header(Name, 0), 5)).Select(m => m.Body));
    }

    private static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string path in Directory.GetFiles(from))
        {
            File.Copy(path, Path.Combine(to, Path.GetFileName(path)), overwrite: true);
        }
    }
}
