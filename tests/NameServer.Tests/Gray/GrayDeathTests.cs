using GrayMQ.Gray;
using GrayMQ.NameServer.Gray.Commands;
using GrayMQ.NameServer.Gray.Databases;
using GrayMQ.NameServer.Gray.States;
using GrayMQ.Protocol.Bodies;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.NameServer.Tests.Gray;

/// <summary>A name server that ends while it works, wherever that is, and the other one, which goes on.</summary>
public sealed class GrayDeathTests : IDisposable
{
    private const string Group = "G";
    private static readonly string[] Brokers = ["a", "b"];

    private readonly string _folder = Directory.CreateTempSubdirectory("gray-death-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // From the making of the database to the end of a promotion: first the one that ends after each statement in turn, then the other.
    [Fact]
    public async Task NameServer_KilledAfterAnyStatement_LeavesAStateFromWhichTheOtherEndsTheRelease()
    {
        int deaths = 0;
        for (int after = 1; ; after++)
        {
            string path = Path.Combine(_folder, $"gray{after}.db");
            int left = after;
            bool hasDied = false;
            await using (GrayState dying = NewState(path, _ => DieUnless(--left > 0)))
            {
                try
                {
                    await ReleaseAsync(dying);
                }
                catch (GrayDatabaseException)
                {
                    hasDied = true;
                    deaths++;
                }
            }

            await using GrayState other = NewState(path);
            await ReleaseAsync(other);

            // Of what everybody has done its end alone may be missing: that is seen at a look, of which there are many.
            other.Start();
            await Eventually.TrueAsync(() => other.View is { Changes.Count: 0 }, "the other has ended the change");
            GrayView view = other.View!;
            Assert.Equal(Brokers, view.Brokers.Order());
            GrayRelease release = Assert.Single(view.Snapshot.Releases);
            Assert.Equal((GrayReleaseState.Promoted, 1L, 1), (release.State, release.Generation, release.Rules.Count));
            IReadOnlyList<GrayAuditRow> history = await other.ReadHistoryAsync(null, 0, 100, default);
            Assert.Equal(Enumerable.Range(1, history.Count).Select(version => (long)version).Reverse(), history.Select(row => row.Version.Version));
            foreach (string once in (string[])["release 1 of group G is open", "release 1 of group G is being promoted", "release 1 of group G is promoted"])
            {
                Assert.Single(history, row => row.Audit.Summary == once);
            }

            if (!hasDied)
            {
                break;
            }
        }

        // Tables, four changes, two brokers that are new, their two parts, and what is read before and after each.
        Assert.InRange(deaths, 50, 500);
    }

    [Fact]
    public async Task Change_ThatCannotBeReadBack_IsToldToBeMade()
    {
        string path = Path.Combine(_folder, "gray.db");
        bool isGone = false;
        await using GrayState dying = NewState(path, statement =>
        {
            DieUnless(!isGone);
            isGone = statement == SqlStatements.ForgetAudit;
        });

        GrayDatabaseException error = await Assert.ThrowsAsync<GrayDatabaseException>(
            () => ChangeAsync(dying, new GrayCommand { Action = GrayAction.Open, Group = Group }));

        Assert.StartsWith("the change was made (release 1 of group G is open), but cannot be read back", error.Message, StringComparison.Ordinal);
        await using GrayState other = NewState(path);
        Assert.Single((await other.ReadAsync(default)).Snapshot.Releases);
    }

    private static void DieUnless(bool lives)
    {
        if (!lives)
        {
            throw new IOException("the process ended here");
        }
    }

    private static GrayState NewState(string path, Action<string>? afterStatement = null) => new(
        new SqliteGrayDatabase(path, TimeSpan.FromSeconds(30), afterStatement),
        TimeSpan.FromMilliseconds(20),
        "127.0.0.1:9876",
        TimeProvider.System,
        NullLogger.Instance);

    // What operator and brokers do, who see how far it has come and go on from there.
    private static async Task ReleaseAsync(GrayState state)
    {
        GrayView view = await state.ReadAsync(default);
        if (view.FindRelease(Group, GrayReleaseKind.Consumer) is null)
        {
            view = await ChangeAsync(state, new GrayCommand { Action = GrayAction.Open, Group = Group });
        }

        if (view.FindRelease(Group, GrayReleaseKind.Consumer) is { Rules.Count: 0 })
        {
            view = await ChangeAsync(state, new GrayCommand { Action = GrayAction.AddRule, Group = Group, ClientGlob = "v2-*" });
        }

        if (view.FindRelease(Group, GrayReleaseKind.Consumer) is { State: GrayReleaseState.Open })
        {
            view = await ChangeAsync(state, new GrayCommand { Action = GrayAction.Promote, Group = Group });
        }

        foreach (string broker in Brokers)
        {
            view = await state.ReadAsync(default);
            GrayRelease release = view.FindRelease(Group, GrayReleaseKind.Consumer)!;
            await state.TakeAsync(
                new GrayProgress
                {
                    Broker = broker,
                    Version = view.Version,
                    Releases = release.IsOpen
                        ?
                        [
                            new GrayReleaseProgress
                            {
                                Group = Group, Generation = release.Generation, State = release.State, Since = release.Since, IsDone = true,
                            },
                        ]
                        : [],
                },
                default);
        }
    }

    private static async Task<GrayView> ChangeAsync(GrayState state, GrayCommand command)
    {
        var facts = new GrayFacts
        {
            NowMs = 1_000,
            By = "ann@host",
            Registered = Brokers,
            Aware = Brokers.ToHashSet(),
            Group = new GroupFacts
            {
                Exists = true,
                Clients = new HashSet<string> { "v1-1", "v2-1" },
                GrayClients = new HashSet<string> { "v2-1" },
                Subscriptions = [],
                Silent = [],
            },
        };
        (GrayDecision decision, GrayView view) = await state.ChangeAsync(
            current => GrayCommands.Decide(current, command, facts),
            new GrayAudit(facts.NowMs, facts.By, "10.0.0.1:5", Group, "{}", ""),
            default);
        Assert.Null(decision.Refusal);
        return view;
    }
}
