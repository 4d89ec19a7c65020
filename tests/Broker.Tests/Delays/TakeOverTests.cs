using System.Text;
using GrayMQ.Broker.Serving;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Names;

namespace GrayMQ.Broker.Delays;

/// <summary>What another broker says it has delivered from a store is not delivered again; the rest is.</summary>
public sealed class TakeOverTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public async Task Start_DelayOffsetsOfAnotherBroker_WhatTheySayIsDone()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync("Taken", 1);
        foreach (string body in (string[])["done", "waits"])
        {
            await peer.SendAsync(Sends.Header("Taken", 0, Sends.Properties(("DELAY", "5"))), body);
        }

        await peer.ReadAsync(TopicNames.Schedule, 1, queueId: 4);
        await broker.StopServingAsync();

        // As RocketMQ leaves it, having delivered the first one.
        await File.WriteAllTextAsync(
            Path.Combine(broker.StorePath, "config", "delayOffset.json"),
            """{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":1},"offsetTable":{5:1}}""",
            TestContext.Current.CancellationToken);
        await broker.RestartAsync();
        peer = broker.Connect("p");
        PendingTimers pending = await peer.AskAsync<NoHeader, PendingTimers>(RequestCode.ShowTimers, default);
        Assert.Equal(1, pending.Total);
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("waits", Encoding.UTF8.GetString((await peer.ReadAsync("Taken", 0)).Body.Span));
    }

    // The log was lost or put away and the configuration kept: queues begin anew, and what they hold was never delivered.
    [Fact]
    public async Task Start_DelayOffsetsOfAnotherLog_SayNothing()
    {
        await using RunningBroker broker = await RunningBroker.StartAsync(null, _time, []);
        await broker.StopServingAsync();
        await File.WriteAllTextAsync(
            Path.Combine(broker.StorePath, "config", "delayOffset.json"),
            """{"dataVersion":{"counter":0,"stateVersion":0,"timestamp":1},"offsetTable":{5:50000}}""",
            TestContext.Current.CancellationToken);
        await broker.RestartAsync();
        Peer peer = broker.Connect("p");
        await peer.CreateTopicAsync("Anew", 1);
        await peer.SendAsync(Sends.Header("Anew", 0, Sends.Properties(("DELAY", "5"))), "waits");
        await peer.ReadAsync(TopicNames.Schedule, 0, queueId: 4);

        // Nor after a kill, when the log is shown again to a broker without the state, and nothing was left behind in order.
        string found = broker.StorePath + "-found";
        DirectoryCopy.Make(broker.StorePath, found);
        Directory.Delete(Path.Combine(found, "state"), recursive: true);
        await broker.StopAllAsync();
        Directory.Delete(broker.StorePath, recursive: true);
        Directory.Move(found, broker.StorePath);
        await broker.StartAgainAsync();
        peer = broker.Connect("p");

        PendingTimers pending = await peer.AskAsync<NoHeader, PendingTimers>(RequestCode.ShowTimers, default);
        Assert.Equal(1, pending.Total);
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("waits", Encoding.UTF8.GetString((await peer.ReadAsync("Anew", 0)).Body.Span));
    }
}
