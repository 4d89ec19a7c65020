using System.CommandLine;

namespace GrayMQ.Chaos.Gray;

/// <summary>The commands of the soak: <c>gray</c>, <c>gray-client</c>, <c>gray-plot</c>.</summary>
internal static class SoakCommands
{
    public static Command Soak(Option<string> graymq, Option<int> seed)
    {
        var seconds = new Option<int>("--seconds") { Description = "No release is begun after so long", DefaultValueFactory = _ => 600 };
        var without = new Option<bool>("--without-gray") { Description = "The same joins and leaves in plain groups, to compare with" };
        var noKills = new Option<bool>("--no-kills") { Description = "Kills nobody" };
        var folder = new Option<string?>("--folder") { Description = "Where to keep what happened (soak.log), the servers' logs and their data" };
        var command = new Command("gray", "Gray releases one after the other under load and kills: every message by the right side, none by both")
        {
            graymq, seed, seconds, without, noKills, folder,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var options = new GraySoakOptions
            {
                Command = parsed.GetRequiredValue(graymq),
                Seed = parsed.GetValue(seed),
                Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                IsGray = !parsed.GetValue(without),
                Kills = !parsed.GetValue(noKills),
                Folder = parsed.GetValue(folder),
            };
            using var written = new SoakLog(options.Folder is null ? null : Path.Combine(Directory.CreateDirectory(options.Folder).FullName, "soak.log"));
            return await new GraySoak(options, written).RunAsync(cancel) ? 0 : 1;
        });
        return command;
    }

    public static Command Client()
    {
        var kind = new Option<ClientKind>("--kind") { Required = true };
        var nameServers = new Option<string>("--namesrv") { Required = true };
        var group = new Option<string>("--group") { Required = true };
        var instance = new Option<string>("--instance") { Required = true };
        var shape = new Option<string>("--shape") { Required = true };
        var gray = new Option<bool>("--gray");
        var command = new Command("gray-client", "One client of such a run") { kind, nameServers, group, instance, shape, gray };
        command.Hidden = true;
        command.SetAction((parsed, cancel) => new SoakClient(
            parsed.GetValue(kind),
            parsed.GetRequiredValue(nameServers),
            parsed.GetRequiredValue(group),
            parsed.GetRequiredValue(instance),
            Shape.Of(parsed.GetRequiredValue(shape)),
            parsed.GetValue(gray)).RunAsync(cancel));
        return command;
    }

    public static Command Plot()
    {
        var log = new Argument<string>("LOG") { Description = "What the gray command wrote" };
        var svg = new Argument<string>("SVG") { Description = "Where to draw" };
        var command = new Command("gray-plot", "Draws a drained promotion: how much there is to consume in gray and normal queues, and the switch") { log, svg };
        command.SetAction(async (parsed, cancel) =>
        {
            string[] lines = await File.ReadAllLinesAsync(parsed.GetRequiredValue(log), cancel);
            await File.WriteAllTextAsync(parsed.GetRequiredValue(svg), SoakPlot.Draw(lines), cancel);
        });
        return command;
    }
}
