// A whole ChatKit server: replies of its own, a widget with a form, the form's action, and a tool that runs in the page.
// dotnet run --project deploy/examples/chatkit-server, then point a ChatKit client at http://localhost:5000/chatkit.
using System.Text.Json.Serialization;
using ChatKit;
using ChatKit.Widgets;

var app = WebApplication.CreateBuilder(args).Build();
var store = new InMemoryStore<string>(user => user);
app.MapChatKit("/chatkit", new OrderServer(store), http => (string?)http.Request.Headers["X-User"] ?? "guest");
await app.RunAsync();

internal sealed class OrderServer(ChatKitStore<string> store) : ChatKitServer<string>(store)
{
    private static readonly Card Form = new()
    {
        AsForm = true,
        Children = [new Title("Your order"), new Input("name") { Placeholder = "Your name", Required = true }],
        Confirm = new CardAction("Order", new ActionConfig("order")),
    };

    public override IAsyncEnumerable<StreamEvent> RespondAsync(
        ChatThread thread, UserMessageItem? message, string user, CancellationToken cancel) =>
        StreamItems(thread, user, (items, stop) => TextOf(message) switch
        {
            null => SaySelectionAsync(items, user, stop),
            var text when text.Contains("order", StringComparison.OrdinalIgnoreCase) => items.AddWidgetAsync(Form),
            var text when text.Contains("selected", StringComparison.OrdinalIgnoreCase) => items.CallClientToolAsync("get_selection", []),
            var text => SayAsync(items, $"You said: {thread.Title ??= text}"),
        }, cancel);

    public override IAsyncEnumerable<StreamEvent> ActionAsync(
        ChatThread thread, WidgetAction action, WidgetItem? sender, string user, CancellationToken cancel) =>
        StreamItems(thread, user, async (items, stop) =>
        {
            var name = action.PayloadAs(OrderJson.Default.Order)?.Name ?? throw new CustomStreamException("Whose order is it?");
            if (sender is not null)
            {
                var ordered = new Card { Children = [new Text($"Ordered for {name}.")] };
                await items.WriteAsync(new ThreadItemReplacedEvent { Item = sender with { Widget = ordered } });
            }

            await SayAsync(items, $"Thank you, {name}.");
        }, cancel);

    private static string? TextOf(UserMessageItem? message) =>
        message is null ? null : string.Join(' ', message.Content.OfType<UserTextContent>().Select(part => part.Text));

    /// <summary>Streams a text word by word, as a model would.</summary>
    private static async Task SayAsync(ItemWriter items, string text)
    {
        var message = await items.BeginMessageAsync();
        foreach (var word in text.Split(' '))
        {
            await message.AppendAsync($"{word} ");
        }
    }

    /// <summary>The page has answered: the newest call of a client tool has its output.</summary>
    private async Task SaySelectionAsync(ItemWriter items, string user, CancellationToken stop)
    {
        var newest = LoadAllItemsAsync(items.Thread.Id, SortOrder.Desc, user, stop);
        var call = await newest.OfType<ClientToolCallItem>().FirstAsync(stop);
        await SayAsync(items, $"Selected: {call.Output?.ToJsonString() ?? "nothing"}");
    }
}

internal sealed record Order(string? Name);

[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(Order))]
internal sealed partial class OrderJson : JsonSerializerContext;
