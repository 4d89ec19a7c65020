using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Broker.Lifecycle;

public class BrokerLifecycleTests
{
    private static readonly LifecycleState[] Way =
    [
        LifecycleState.Starting, LifecycleState.Recovering, LifecycleState.Standby, LifecycleState.Serving, LifecycleState.Draining,
        LifecycleState.Drained, LifecycleState.Stopped,
    ];

    [Theory]
    [InlineData("starting", false, false, false)]
    [InlineData("recovering", false, false, false)]
    [InlineData("standby", false, false, false)]
    [InlineData("serving", true, true, false)]
    [InlineData("draining", false, true, true)]
    [InlineData("drained", false, false, true)]
    [InlineData("stopped", false, false, true)]
    public void Answers_InEachState_AreThoseOfTheState(string state, bool ready, bool accepting, bool leaving)
    {
        BrokerLifecycle lifecycle = At(state);

        Assert.Equal((ready, accepting, leaving), (lifecycle.IsReady, lifecycle.IsAccepting, lifecycle.IsLeaving));
    }

    [Fact]
    public void OpenPorts_BeforeTheNameServersKnow_ClientsAreServed()
    {
        BrokerLifecycle lifecycle = At("standby");

        lifecycle.OpenPorts();

        Assert.Equal((false, true), (lifecycle.IsReady, lifecycle.IsAccepting));
    }

    [Fact]
    public void Enter_WhatCannotFollow_IsRefused()
    {
        Assert.Throws<InvalidOperationException>(() => At("starting").Enter(LifecycleState.Serving));
        Assert.Throws<InvalidOperationException>(() => At("standby").Enter(LifecycleState.Draining));
        Assert.Throws<InvalidOperationException>(() => At("serving").Enter(LifecycleState.Drained));
        Assert.Throws<InvalidOperationException>(() => At("stopped").Enter(LifecycleState.Serving));
    }

    [Fact]
    public void Enter_ServingAgain_TakesSendsAndHandsOutAgain()
    {
        BrokerLifecycle lifecycle = At("draining");
        lifecycle.RefuseSends();
        lifecycle.HoldBack();
        Assert.True(lifecycle.RefusesSends && lifecycle.HoldsBack);

        lifecycle.Enter(LifecycleState.Serving);

        Assert.False(lifecycle.RefusesSends || lifecycle.HoldsBack);
    }

    [Fact]
    public void RefuseSends_OfABrokerThatServes_MeansNothing()
    {
        BrokerLifecycle lifecycle = At("serving");

        lifecycle.RefuseSends();
        lifecycle.HoldBack();

        Assert.False(lifecycle.RefusesSends || lifecycle.HoldsBack);
    }

    private static BrokerLifecycle At(string state)
    {
        var lifecycle = new BrokerLifecycle(new ManualTime(), NullLogger<BrokerLifecycle>.Instance);
        foreach (LifecycleState next in Way.Skip(1).TakeWhile(_ => lifecycle.State.ToName() != state))
        {
            lifecycle.Enter(next);
        }

        return lifecycle;
    }
}
