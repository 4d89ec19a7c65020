using GrayMQ.Settings.RocketMqKeys;

namespace GrayMQ.Settings.Tests;

public sealed class RocketMqKeyTableTests
{
    private static SettingsLoad LoadBroker(string text) => new SettingsCatalogue("broker")
        .Define(Setting.Int32("listenPort", 10911, "Port."))
        .Ignore(RocketMqKeyTable.Broker)
        .Load(new SettingsSources().File(SettingsFile.Parse("broker.conf", text)));

    private static SettingsLoad LoadNameServer(string text) => new SettingsCatalogue("namesrv")
        .Define(Setting.Int32("listenPort", 9876, "Port."))
        .Ignore(RocketMqKeyTable.NameServer)
        .Load(new SettingsSources().File(SettingsFile.Parse("namesrv.conf", text)));

    [Fact]
    public void Broker_FileAsItIsPublishedEverywhere_StartsWithWarnings()
    {
        // The keys that published broker.conf files for RocketMQ 4 and 5 share, those included that no release reads.
        SettingsLoad load = LoadBroker(
            """
            brokerClusterName=rocketmq-cluster
            brokerName=broker-a
            brokerId=0
            brokerIP1=10.0.0.1
            brokerIP2=10.0.0.1
            namesrvAddr=rocketmq-nameserver1:9876
            defaultTopicQueueNums=4
            autoCreateTopicEnable=true
            autoCreateSubscriptionGroup=true
            listenPort=10911
            haListenPort=10912
            deleteWhen=04
            fileReservedTime=120
            mapedFileSizeCommitLog=1073741824
            mapedFileSizeConsumeQueue=300000
            mappedFileSizeCommitLog=1073741824
            destroyMapedFileIntervalForcibly=120000
            redeleteHangedFileInterval=120000
            diskMaxUsedSpaceRatio=88
            storePathRootDir=/data/store
            storePathCommitLog=/data/store/commitlog
            storePathConsumeQueue=/data/store/consumequeue
            storePathIndex=/data/store/index
            storeCheckpoint=/data/store/checkpoint
            abortFile=/data/store/abort
            maxMessageSize=65536
            flushCommitLogLeastPages=4
            flushConsumeQueueLeastPages=2
            flushCommitLogThoroughInterval=10000
            flushConsumeQueueThoroughInterval=60000
            brokerRole=ASYNC_MASTER
            flushDiskType=ASYNC_FLUSH
            checkTransactionMessageEnable=false
            sendMessageThreadPoolNums=128
            pullMessageThreadPoolNums=128
            useEpollNativeSelector=true
            waitTimeMillsInSendQueue=1000
            messageDelayLevel=1s 5s 10s
            enablePropertyFilter=true
            aclEnable=false
            traceTopicEnable=true
            timerWheelEnable=true
            enableDLegerCommitLog=false
            dLegerGroup=RaftNode00
            dLegerPeers=n0-127.0.0.1:40911
            dLegerSelfId=n0
            enableControllerMode=true
            controllerAddr=127.0.0.1:9878
            allAckInSyncStateSet=true
            enableSlaveActingMaster=true
            authenticationEnabled=true
            rmqAddressServerDomain=example.com
            tieredBackendServiceProvider=x
            """);

        Assert.Empty(load.Errors);
        Assert.NotEmpty(load.Warnings);
    }

    [Fact]
    public void NameServer_FileWithController_StartsWithWarnings()
    {
        SettingsLoad load = LoadNameServer(
            """
            listenPort=9876
            kvConfigPath=/home/rocketmq/namesrv/kvConfig.json
            orderMessageEnable=false
            clusterTest=false
            serverWorkerThreads=8
            enableControllerInNamesrv=true
            controllerDLegerGroup=group1
            controllerDLegerPeers=n0-127.0.0.1:9878
            controllerDLegerSelfId=n0
            needWaitForService=false
            scanNotActiveBrokerInterval=5000
            """);

        Assert.Empty(load.Errors);
        Assert.NotEmpty(load.Warnings);
    }

    [Fact]
    public void Tables_Keys_AreDistinctAndWellFormed()
    {
        foreach (IReadOnlyList<IgnoredKey> table in new[] { RocketMqKeyTable.Broker, RocketMqKeyTable.NameServer })
        {
            Assert.Equal(table.Count, table.Select(key => key.Key).Distinct().Count());
            Assert.All(table, key => Assert.Matches("^[a-zA-Z][a-zA-Z0-9]*$", key.Key));
        }
        Assert.InRange(RocketMqKeyTable.Broker.Count, 480, 560);
        Assert.InRange(RocketMqKeyTable.NameServer.Count, 85, 110);
    }

    [Fact]
    public void Broker_OldSpelling_WarnsWithItsSuccessor()
    {
        Assert.Equal(
            "broker.conf:1: mapedFileSizeCommitLog: a RocketMQ setting that has no meaning here and is ignored " +
            "(RocketMQ reads it up to 4.5.1 only; see mappedFileSizeCommitLog)",
            Assert.Single(LoadBroker("mapedFileSizeCommitLog=1").Warnings).ToString());
    }
}
