// The dialogs that change who this browser's user is: choose a name, create an account, sign in. lib/identity opens
// them. They are loaded when first needed.
import { useIdentity } from "@/lib/browser/identity";
import { Dialog } from "@/ui/dialog";
import { AccountForm } from "./account-form";
import { NameForm } from "./name-form";
import { SignInForm } from "./sign-in-form";

const TITLES = {
  name: "Choose a name",
  account: "Create an account",
  "sign-in": "Sign in",
};

export default function IdentityDialogs() {
  const asked = useIdentity((state) => state.asked);
  const close = () => asked?.answer(false);
  const done = () => asked?.answer(true);
  return (
    <Dialog open={asked !== null} onClose={close} title={asked ? TITLES[asked.question] : ""}>
      {asked?.reason && <p className="mb-3 text-soft">{asked.reason}</p>}
      {asked?.question === "name" && <NameForm onDone={done} />}
      {asked?.question === "account" && <AccountForm onDone={done} />}
      {asked?.question === "sign-in" && <SignInForm onDone={done} />}
    </Dialog>
  );
}
